internal import TraceWire

/// One loop's changing of one message after the other: spans with their events and links, and the resources and scopes
/// that are redacted with them. Its arrays are reused.
struct SpanProcessor: Sendable {
  /// The message as it was changed, where it was.
  private(set) var output: [UInt8] = []

  private var editors: [(filter: SpanFilter, editor: AttributeEditor)]
  private var namers: [(filter: SpanFilter, namer: SpanNamer)]
  private var redactors: Redactors
  /// Whether anything is redacted, if only on some route.
  let redacts: Bool

  /// The span's name as it is now.
  private var name: [UInt8] = []
  private var list = AttributeList()
  private var splice = MessageSplice()
  /// Events and links of the span.
  private var parts: [(record: ByteRange, body: ByteRange, tag: UInt8)] = []
  private var partList = AttributeList()
  private var partSplice = MessageSplice()

  private static let bytesKept = 1 << 16

  init(_ rules: ProcessorRules, routes: [RedactionRules?]) {
    editors = rules.attributes.map { (SpanFilter($0.filter), AttributeEditor($0.actions)) }
    namers = rules.spanNames.map { (SpanFilter($0.filter), SpanNamer($0)) }
    redactors = Redactors(rules.redactions, routes: routes)
    redacts = !redactors.isEmpty
  }

  /// What all redactions came to.
  var redacted: Redactor.Counts { redactors.total }

  /// Begins with another request.
  mutating func begin(requestBytes: Int) { redactors.begin(requestBytes: requestBytes) }

  /// Hashes and summaries that there was no room for.
  var refused: Int { redactors.refused }

  // MARK: Spans

  /// Runs every processor on the span in a range of the bytes; whether `output` has another one. The service's name is
  /// in `request`.
  mutating func process(
    _ span: ByteRange, of bytes: RawSpan, _ subject: consuming SpanSubject, _ request: RawSpan, _ route: Int,
    _ growth: inout GrowthLimit
  ) throws(WireFault) -> Bool {
    splice.reset()
    let nameRecord = try load(span, of: bytes, &subject)
    for index in editors.indices
    where try editors[index].filter.takes(subject, list, in: bytes, names: bytes, request: request) {
      try editors[index].editor.run(on: &list, in: bytes, growth: &growth)
    }
    if try makeName(of: bytes, &subject, request, &growth) { rename(nameRecord) }
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

  /// Works out a span's name, in `name`; whether it is another one.
  private mutating func makeName(
    of bytes: RawSpan, _ subject: inout SpanSubject, _ request: RawSpan, _ growth: inout GrowthLimit
  ) throws(WireFault) -> Bool {
    guard !namers.isEmpty else { return false }
    var name: [UInt8] = []
    swap(&name, &self.name)
    defer { swap(&name, &self.name) }
    name.empty(capacityMax: Self.bytesKept)
    bytes.append(subject.name, to: &name)
    var isChanged = false
    for index in namers.indices {
      subject.name = ByteRange(0, name.count)
      guard try namers[index].filter.takes(subject, list, in: bytes, names: name.span.bytes, request: request) else {
        continue
      }
      if try namers[index].namer.run(&name, on: &list, in: bytes, growth: &growth) { isChanged = true }
    }
    return isChanged
  }

  private mutating func rename(_ record: ByteRange) {
    let start = splice.made.count
    splice.made += name
    let body = ByteRange(start, splice.made.count)
    if record.isEmpty { splice.add(tag: 0x2a, body: body) } else { splice.replace(record, tag: 0x2a, body: body) }
  }

  private mutating func redactSpan(of bytes: RawSpan, _ route: Int) throws(WireFault) {
    try redactors.run(on: &list, in: bytes, routes: CollectionOfOne(route))
    for part in parts {
      let owner: SpanAttributes.Owner = part.tag == 0x5a ? .event : .link
      try partList.load(part.body, of: bytes, owner: owner)
      guard !partList.entries.isEmpty else { continue }
      try redactors.run(on: &partList, in: bytes, routes: CollectionOfOne(route))
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
      try redactors.run(on: &list, in: bytes, routes: routes.sorted())
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
