internal import TraceWire

/// How long an attribute's value is as text, for the limit on baggage.
enum AttributeLength {
  /// The length of a `KeyValue`'s value that is no string.
  static func ofValue(_ attribute: ByteRange, in bytes: RawSpan) throws(WireFault) -> Int {
    var length = 0
    var fields = ProtobufCursor(bytes, in: attribute)
    while fields.hasMore {
      let tag = try fields.varint()
      if tag == 0x12 {
        length = try ofAnyValue(try fields.delimited(), in: bytes)
      } else {
        try fields.skip(tag, depth: 1)
      }
    }
    return length
  }

  private static func ofAnyValue(_ value: ByteRange, in bytes: RawSpan) throws(WireFault) -> Int {
    var length = 0
    var fields = ProtobufCursor(bytes, in: value)
    while fields.hasMore {
      let tag = try fields.varint()
      switch tag {
      case 0x10: length = try fields.varint() == 0 ? 5 : 4
      case 0x18: length = digits(Int64(bitPattern: try fields.varint()))
      case 0x21: length = "\(Double(bitPattern: try fields.fixed64()))".utf8.count
      case 0x0a, 0x2a, 0x32, 0x3a: length = try fields.delimited().count
      default: try fields.skip(tag, depth: 1)
      }
    }
    return length
  }

  private static func digits(_ number: Int64) -> Int {
    var rest = number.magnitude
    var count = number < 0 ? 2 : 1
    while rest >= 10 {
      rest /= 10
      count &+= 1
    }
    return count
  }

  /// The text of an `AnyValue`, nil where it is no string.
  static func string(of value: ByteRange, in bytes: RawSpan) throws(WireFault) -> ByteRange? {
    var text: ByteRange?
    var fields = ProtobufCursor(bytes, in: value)
    while fields.hasMore {
      let tag = try fields.varint()
      switch tag {
      case 0x0a: text = try fields.delimited()
      case 0x10, 0x18, 0x21, 0x2a, 0x32, 0x3a:
        text = nil
        try fields.skip(tag, depth: 1)
      default: try fields.skip(tag, depth: 1)
      }
    }
    return text
  }
}
