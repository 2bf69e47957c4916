internal import TraceWire

/// One span of a request as other formats want it: what it says once, and where the lists lie.
struct OTLPSpan {
  /// How deep the messages of a request lie, the request itself being 1.
  enum Depth {
    static let resource = 3
    static let scope = 4
    static let span = 4
    /// Attributes, events and links of a span.
    static let part = 5
  }

  /// The span message.
  var body = ByteRange()
  /// 16 bytes and 8 where they are valid.
  var traceID = ByteRange()
  var spanID = ByteRange()
  /// Empty where the span has no parent.
  var parentID = ByteRange()
  var traceState = ByteRange()
  var name = ByteRange()
  var kind = SpanFacts.Kind.unspecified
  /// Nanoseconds since the Unix epoch.
  var start: UInt64 = 0
  var end: UInt64 = 0
  /// OTLP's code: 1 is success, 2 an error.
  var statusCode: Int32 = 0
  var statusMessage = ByteRange()
  var droppedAttributes: UInt32 = 0
  var droppedEvents: UInt32 = 0
  var droppedLinks: UInt32 = 0
  var hasEvents = false
  var hasLinks = false

  /// Whether both IDs are such that a back end takes the span.
  var isValid: Bool { !traceID.isEmpty && !spanID.isEmpty }
  var isError: Bool { statusCode == 2 }
  /// How long it took, in nanoseconds; 0 where it ended before it began.
  var duration: UInt64 { end > start ? end &- start : 0 }

  init(_ body: ByteRange, of bytes: RawSpan) throws(WireFault) {
    self.body = body
    var fields = ProtobufCursor(bytes, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: traceID = try fields.delimited().identifier(of: 16, in: bytes)
      case 0x12: spanID = try fields.delimited().identifier(of: 8, in: bytes)
      case 0x1a: traceState = try fields.delimited()
      case 0x22: parentID = try fields.delimited().identifier(of: 8, in: bytes)
      case 0x2a: name = try fields.delimited()
      case 0x30: kind = SpanFacts.Kind(wire: try fields.varint())
      case 0x39: start = try fields.fixed64()
      case 0x41: end = try fields.fixed64()
      case 0x50: droppedAttributes = UInt32(truncatingIfNeeded: try fields.varint())
      case 0x5a:
        hasEvents = true
        _ = try fields.delimited()
      case 0x60: droppedEvents = UInt32(truncatingIfNeeded: try fields.varint())
      case 0x6a:
        hasLinks = true
        _ = try fields.delimited()
      case 0x70: droppedLinks = UInt32(truncatingIfNeeded: try fields.varint())
      case 0x7a: try readStatus(try fields.delimited(), of: bytes)
      default: try fields.skip(tag, depth: Depth.span)
      }
    }
  }

  private mutating func readStatus(_ range: ByteRange, of bytes: RawSpan) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x12: statusMessage = try fields.delimited()
      case 0x18: statusCode = Int32(truncatingIfNeeded: try fields.varint())
      default: try fields.skip(tag, depth: Depth.part)
      }
    }
  }
}

/// An event of a span.
struct OTLPEvent {
  /// Nanoseconds since the Unix epoch.
  var time: UInt64 = 0
  var name = ByteRange()
  var hasAttributes = false
  var droppedAttributes: UInt32 = 0

  init(_ range: ByteRange, of bytes: RawSpan) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x09: time = try fields.fixed64()
      case 0x12: name = try fields.delimited()
      case 0x1a:
        hasAttributes = true
        _ = try fields.delimited()
      case 0x20: droppedAttributes = UInt32(truncatingIfNeeded: try fields.varint())
      default: try fields.skip(tag, depth: OTLPSpan.Depth.part)
      }
    }
  }
}

/// A link of a span.
struct OTLPLink {
  /// Empty where they are not valid.
  var traceID = ByteRange()
  var spanID = ByteRange()
  var traceState = ByteRange()
  var droppedAttributes: UInt32 = 0

  init(_ range: ByteRange, of bytes: RawSpan) throws(WireFault) {
    var fields = ProtobufCursor(bytes, in: range)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: traceID = try fields.delimited().identifier(of: 16, in: bytes)
      case 0x12: spanID = try fields.delimited().identifier(of: 8, in: bytes)
      case 0x1a: traceState = try fields.delimited()
      case 0x28: droppedAttributes = UInt32(truncatingIfNeeded: try fields.varint())
      default: try fields.skip(tag, depth: OTLPSpan.Depth.part)
      }
    }
  }
}

/// The messages of one field, one after the other.
struct OTLPMessages: ~Escapable {
  private var fields: ProtobufCursor
  private let tag: UInt64
  private let depth: Int

  /// Makes an iterator over the field with this tag in the message in a range, which lies inside `depth - 1` others.
  @_lifetime(copy bytes)
  init(_ message: ByteRange, of bytes: RawSpan, tag: UInt64, depth: Int) {
    fields = ProtobufCursor(bytes, in: message)
    self.tag = tag
    self.depth = depth
  }

  /// Where the next one lies; `nil` after the last.
  @_lifetime(self: copy self)
  mutating func next() throws(WireFault) -> ByteRange? {
    while fields.hasMore {
      let tag = try fields.tag()
      if tag == self.tag { return try fields.delimited() }
      try fields.skip(tag, depth: depth)
    }
    return nil
  }
}

extension ByteRange {
  /// The same range where it holds an ID of this size that is not all zero; else the empty one.
  fileprivate func identifier(of size: Int, in bytes: RawSpan) -> ByteRange {
    guard count == size else { return ByteRange() }
    var bits: UInt64 = 0
    for offset in stride(from: Int(lower), to: Int(upper), by: 8) { bits |= bytes.bigEndian64(at: offset) }
    return bits == 0 ? ByteRange() : self
  }
}
