internal import TraceWire

/// One loop's changing of one message after the other: spans with their events and links, and the resources and scopes
/// that are redacted with them. Its arrays are reused.
struct SpanProcessor: Sendable {
  /// The message as it was changed, where it was.
  private(set) var output: [UInt8] = []

  private var editor: AttributeEditor
  private var editorFilter: SpanFilter
  private var namer: SpanNamer?
  private var namerFilter: SpanFilter
  private var redactor: Redactor?
  /// By the routes' numbers.
  private var routeRedactors: [Redactor?]
  /// Whether anything is redacted, if only on some route.
  let redacts: Bool

  private var list = AttributeList()
  private var splice = MessageSplice()
  /// Events and links of the span.
  private var parts: [(record: ByteRange, body: ByteRange, tag: UInt8)] = []
  private var partList = AttributeList()
  private var partSplice = MessageSplice()

  private static let bytesKept = 1 << 16

  init(_ rules: ProcessorRules, routes: [RedactionRules?]) {
    editor = AttributeEditor(rules.attributes)
    editorFilter = SpanFilter(rules.attributesFilter)
    namer = rules.spanName.map { SpanNamer($0) }
    namerFilter = SpanFilter(rules.spanName?.filter ?? SpanFilterRules())
    redactor = rules.redaction.map { Redactor($0) }
    routeRedactors = routes.map { $0.map { Redactor($0) } }
    redacts = redactor != nil || routeRedactors.contains { $0 != nil }
  }

  /// What all redactions came to.
  var redacted: Redactor.Counts {
    var sum = redactor?.total ?? Redactor.Counts()
    for case let other? in routeRedactors.map({ $0?.total }) {
      sum.removed &+= other.removed
      sum.masked &+= other.masked
    }
    return sum
  }

  /// Begins with another request.
  mutating func begin(requestBytes: Int) {
    redactor?.begin(requestBytes: requestBytes)
    for index in routeRedactors.indices { routeRedactors[index]?.begin(requestBytes: requestBytes) }
  }

  /// Hashes and summaries that there was no room for.
  var refused: Int { routeRedactors.reduce(redactor?.refused ?? 0) { $0 &+ ($1?.refused ?? 0) } }

  // MARK: Spans

  /// Runs every processor on the span in a range of the bytes; whether `output` has another one. The service's name is
  /// in `request`.
  mutating func process(
    _ span: ByteRange, of bytes: RawSpan, _ subject: consuming SpanSubject, _ request: RawSpan, _ route: Int,
    _ growth: inout GrowthLimit
  ) throws(WireFault) -> Bool {
    splice.reset()
    let nameRecord = try load(span, of: bytes, &subject)
    if !editor.isEmpty, try editorFilter.takes(subject, list, in: bytes, request: request) {
      try editor.run(on: &list, in: bytes, growth: &growth)
    }
    if namer != nil, try namerFilter.takes(subject, list, in: bytes, request: request),
      try namer?.run(subject, on: &list, in: bytes, growth: &growth) == true
    {
      rename(nameRecord)
    }
    if redacts { try redactSpan(of: bytes, route) }
    if list.isChanged { list.emit(tag: 0x4a, to: &splice) }
    guard !splice.isEmpty else { return false }
    output.empty(capacityMax: Self.bytesKept)
    _ = splice.append(span, of: bytes, to: &output)
    return true
  }

  /// Takes in a span's attributes, events and links; gives the field its name is in.
  private mutating func load(
    _ span: ByteRange, of bytes: RawSpan, _ subject: inout SpanSubject
  ) throws(WireFault) -> ByteRange {
    list.reset()
    parts.empty(capacityMax: 1 << 10)
    var nameRecord = ByteRange()
    var fields = ProtobufCursor(bytes, in: span)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.tag()
      switch tag {
      case 0x2a:
        subject.name = try fields.delimited()
        nameRecord = ByteRange(start, fields.position)
      case 0x4a:
        let body = try fields.delimited()
        try list.append(body, record: ByteRange(start, fields.position), of: bytes)
      case 0x5a, 0x6a:
        let body = try fields.delimited()
        if redacts { parts.append((ByteRange(start, fields.position), body, UInt8(truncatingIfNeeded: tag))) }
      default: try fields.skip(tag, depth: 1)
      }
    }
    return nameRecord
  }

  private mutating func rename(_ record: ByteRange) {
    let start = splice.made.count
    splice.made += namer?.name ?? []
    let body = ByteRange(start, splice.made.count)
    if record.isEmpty { splice.add(tag: 0x2a, body: body) } else { splice.replace(record, tag: 0x2a, body: body) }
  }

  private mutating func redactSpan(of bytes: RawSpan, _ route: Int) throws(WireFault) {
    try redactor?.run(on: &list, in: bytes)
    if route >= 0 { try routeRedactors[route]?.run(on: &list, in: bytes) }
    for part in parts {
      let owner: SpanAttributes.Owner = part.tag == 0x5a ? .event : .link
      try partList.load(part.body, of: bytes, owner: owner)
      guard !partList.entries.isEmpty else { continue }
      try redactor?.run(on: &partList, in: bytes)
      if route >= 0 { try routeRedactors[route]?.run(on: &partList, in: bytes) }
      guard partList.isChanged else { continue }
      partSplice.reset()
      partList.emit(tag: UInt8(truncatingIfNeeded: owner.rawValue), to: &partSplice)
      let range = partSplice.append(part.body, of: bytes, to: &splice.made)
      splice.replace(part.record, tag: part.tag, body: range)
    }
  }

  // MARK: Resources and scopes

  /// Redacts a message that has attributes, also as these routes want it; whether `output` has another one. What cannot
  /// be read becomes empty.
  mutating func redact(
    _ message: ByteRange, of bytes: RawSpan, owner: SpanAttributes.Owner, _ routes: Set<Int>
  ) -> Bool {
    output.empty(capacityMax: Self.bytesKept)
    do throws(WireFault) {
      try list.load(message, of: bytes, owner: owner)
      try redactor?.run(on: &list, in: bytes)
      for route in routes.sorted() { try routeRedactors[route]?.run(on: &list, in: bytes) }
    } catch {
      return true
    }
    guard list.isChanged else { return false }
    splice.reset()
    list.emit(tag: UInt8(truncatingIfNeeded: owner.rawValue), to: &splice)
    _ = splice.append(message, of: bytes, to: &output)
    return true
  }
}
