internal import TraceWire

/// One loop's limiting of baggage: goes over a span's attributes in the order of the bytes and says what is to be
/// edited. Its arrays are reused from span to span.
///
/// The length of an entry is that of its name and of its value as text: digits of a number, `true` or `false`; bytes
/// count as they are, arrays and lists as they are encoded. A header member's properties are part of its value, or
/// they would slip past the limit.
struct BaggageLimiter: Sendable {
  /// What was dropped of the span.
  private(set) var counts = BaggageCounts()
  /// Edits of the span's attributes, in ascending order.
  private(set) var edits: [AttributeEdit] = []
  /// The span's message with rewritten arrays of headers in it; empty where it has none. The edits apply to it, too.
  private(set) var body: [UInt8] = []

  /// Room that is kept from span to span.
  private static let bytesKept = 1 << 16
  private static let editsKept = 1 << 10

  private let rules: BaggageRules
  private let keys: AttributeKeys
  private var kept = 0
  private var header: [UInt8] = []
  private var array: [UInt8] = []
  /// Attribute fields of the span and what stands for each, as a range of `exchanged`.
  private var exchanges: [(record: ByteRange, replacement: ByteRange)] = []
  private var exchanged: [UInt8] = []

  init(_ rules: BaggageRules, keys: AttributeKeys) {
    self.rules = rules
    self.keys = keys
  }

  /// Looks at all baggage of a span; the outcome is in `counts`, `edits` and `body`.
  mutating func limit(_ span: ByteRange, in bytes: RawSpan) throws(WireFault) {
    counts = BaggageCounts()
    kept = 0
    edits.empty(capacityMax: Self.editsKept)
    body.empty(capacityMax: Self.bytesKept)
    exchanges.empty(capacityMax: Self.editsKept)
    exchanged.empty(capacityMax: Self.bytesKept)
    var attributes = SpanAttributes(span, of: bytes)
    while let attribute = try attributes.next() {
      switch keys.baggageRole(of: attribute.key, in: bytes) {
      case .none: continue
      case .listed: try limit(attribute, name: attribute.key, in: bytes)
      case .prefixed(let count):
        let name = ByteRange(Int(attribute.key.lower) &+ count, Int(attribute.key.upper))
        try limit(attribute, name: name, in: bytes)
      case .header:
        if attribute.string == nil {
          try limitArray(attribute, in: bytes)
        } else if limitHeader(attribute.string ?? ByteRange(), in: bytes) {
          edits.append(
            AttributeEdit(ordinal: attribute.ordinal, action: header.isEmpty ? .drop : .replaceString(header)))
        }
      }
    }
    if !exchanges.isEmpty { exchange(span, in: bytes) }
  }

  /// Admits an entry or counts why not.
  private mutating func admits(_ name: ByteRange, valueLength: Int, in bytes: RawSpan) -> Bool {
    guard let reason = rules.objection(to: name, in: bytes, valueLength: valueLength, kept: kept) else {
      kept &+= 1
      return true
    }
    counts[reason] &+= 1
    return false
  }

  private mutating func limit(
    _ attribute: SpanAttributes.Element, name: ByteRange, in bytes: RawSpan
  ) throws(WireFault) {
    var length = attribute.string?.count ?? 0
    if attribute.string == nil { length = try AttributeLength.ofValue(attribute.body, in: bytes) }
    if !admits(name, valueLength: length, in: bytes) {
      edits.append(AttributeEdit(ordinal: attribute.ordinal, action: .drop))
    }
  }

  /// Puts what is left of a header into `header`; says whether anything was dropped.
  private mutating func limitHeader(_ range: ByteRange, in bytes: RawSpan) -> Bool {
    header.empty(capacityMax: Self.bytesKept)
    var isShortened = false
    var members = BaggageHeader(range, of: bytes)
    while let member = members.next(in: bytes) {
      let length = Int(member.whole.upper) &- Int(member.value.lower)
      guard admits(member.key, valueLength: length, in: bytes) else {
        isShortened = true
        continue
      }
      if !header.isEmpty { header.append(UInt8(ascii: ",")) }
      bytes.append(member.whole, to: &header)
    }
    return isShortened
  }

  // MARK: Arrays of headers

  /// Treats each string of an array as a header, as semantic conventions capture them: `http.request.header.<key>` is an
  /// array of strings. What is neither a string nor an array of strings is no header and stays.
  private mutating func limitArray(_ attribute: SpanAttributes.Element, in bytes: RawSpan) throws(WireFault) {
    array.empty(capacityMax: Self.bytesKept)
    var isShortened = false
    var fields = ProtobufCursor(bytes, in: attribute.body)
    while fields.hasMore {
      let tag = try fields.varint()
      guard tag == 0x12 else {
        try fields.skip(tag, depth: 1)
        continue
      }
      var values = ProtobufCursor(bytes, in: try fields.delimited())
      while values.hasMore {
        let tag = try values.varint()
        if tag == 0x2a {
          if try limitElements(try values.delimited(), in: bytes) { isShortened = true }
        } else {
          try values.skip(tag, depth: 1)
        }
      }
    }
    guard isShortened else { return }
    if array.isEmpty {
      edits.append(AttributeEdit(ordinal: attribute.ordinal, action: .drop))
    } else {
      let start = exchanged.count
      try appendAttribute(attribute.body, in: bytes)
      exchanges.append((attribute.record, ByteRange(start, exchanged.count)))
    }
  }

  /// Appends what is left of an `ArrayValue` to `array`; says whether anything was dropped.
  private mutating func limitElements(_ range: ByteRange, in bytes: RawSpan) throws(WireFault) -> Bool {
    var isShortened = false
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let start = fields.position
      let tag = try fields.varint()
      guard tag == 0x0a else {
        try fields.skip(tag, depth: 1)
        bytes.append(ByteRange(start, fields.position), to: &array)
        continue
      }
      let element = try fields.delimited()
      if let text = try AttributeLength.string(of: element, in: bytes), limitHeader(text, in: bytes) {
        isShortened = true
        if !header.isEmpty { array.appendField(0x0a, length: header.fieldLength, field: 0x0a, header) }
      } else {
        bytes.append(ByteRange(start, fields.position), to: &array)
      }
    }
    return isShortened
  }

  /// Appends a span's attribute field with `array` for its value to `exchanged`; key and unknown fields stay.
  private mutating func appendAttribute(_ attribute: ByteRange, in bytes: RawSpan) throws(WireFault) {
    let start = exchanged.count
    var fields = ProtobufCursor(bytes, in: attribute)
    while fields.hasMore {
      let fieldStart = fields.position
      let tag = try fields.varint()
      try fields.skip(tag, depth: 1)
      if tag != 0x12 { bytes.append(ByteRange(fieldStart, fields.position), to: &exchanged) }
    }
    exchanged.appendField(0x12, length: array.fieldLength, field: 0x2a, array)
    var head: [UInt8] = [0x4a]
    head.appendVarint(UInt64(exchanged.count - start))
    exchanged.insert(contentsOf: head, at: start)
  }

  private mutating func exchange(_ span: ByteRange, in bytes: RawSpan) {
    var position = Int(span.lower)
    for (record, replacement) in exchanges {
      bytes.append(ByteRange(position, Int(record.lower)), to: &body)
      body.append(contentsOf: exchanged[replacement.indices])
      position = Int(record.upper)
    }
    bytes.append(ByteRange(position, Int(span.upper)), to: &body)
  }
}

extension [UInt8] {
  /// The length of a field with a one-byte tag that holds these bytes.
  fileprivate var fieldLength: Int {
    var length: [UInt8] = []
    length.appendVarint(UInt64(count))
    return 1 + length.count + count
  }

  /// Appends a message field that holds one field with these bytes.
  fileprivate mutating func appendField(_ outer: UInt8, length: Int, field inner: UInt8, _ bytes: [UInt8]) {
    append(outer)
    appendVarint(UInt64(length))
    append(inner)
    appendVarint(UInt64(bytes.count))
    append(contentsOf: bytes)
  }
}
