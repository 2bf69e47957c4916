// Values as JSON has them (RFC 8259). What stands between values (commas, braces) is the caller's.

extension [UInt8] {
  /// Appends bytes that should be UTF-8 as a string, quotes included. What is not UTF-8 becomes U+FFFD.
  package mutating func append(jsonString range: ByteRange, of bytes: RawSpan) {
    append(UInt8(ascii: "\""))
    append(jsonContent: bytes.extracting(range.indices))
    append(UInt8(ascii: "\""))
  }

  /// Appends bytes that should be UTF-8 as a string, quotes included. What is not UTF-8 becomes U+FFFD.
  package mutating func append(jsonString text: [UInt8]) {
    append(jsonString: ByteRange(0, text.count), of: text.span.bytes)
  }

  /// Appends what stands between a string's quotes.
  private mutating func append(jsonContent text: RawSpan) {
    var copied = 0
    var offset = 0
    while true {
      offset = text.firstSpecialOffset(from: offset)
      guard offset < text.byteCount else { break }
      let byte = text.byte(at: offset)
      if byte >= 0x80 {
        guard let count = text.multibyteCount(at: offset) else {
          append(ByteRange(copied, offset), of: text)
          append(repaired: text.extracting(offset..<text.byteCount))
          return
        }
        offset &+= count
        continue
      }
      append(ByteRange(copied, offset), of: text)
      append(jsonEscape: byte)
      offset &+= 1
      copied = offset
    }
    append(ByteRange(copied, offset), of: text)
  }

  private mutating func append(repaired text: RawSpan) {
    let repaired = text.withUnsafeBytes { [UInt8](String(decoding: $0, as: UTF8.self).utf8) }
    append(jsonContent: repaired.span.bytes)
  }

  private mutating func append(jsonEscape byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: append(UInt8(ascii: "b"))
    case 0x09: append(UInt8(ascii: "t"))
    case 0x0a: append(UInt8(ascii: "n"))
    case 0x0c: append(UInt8(ascii: "f"))
    case 0x0d: append(UInt8(ascii: "r"))
    case 0..<0x20:
      append(contentsOf: "u00".utf8)
      append(hex: byte)
    default: append(byte)
    }
  }

  /// Appends text that JSON takes as it stands.
  package mutating func append(_ text: StaticString) { text.withUTF8Buffer { append(contentsOf: $0) } }

  /// Appends a whole number's digits.
  package mutating func append(decimal value: UInt64) {
    var digits = InlineArray<20, UInt8>(repeating: 0x30)
    var first = 20
    var rest = value
    repeat {
      first &-= 1
      digits[first] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    for index in first..<20 { append(digits[index]) }
  }

  /// Appends a signed number's digits.
  package mutating func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(decimal: value.magnitude)
  }

  /// Appends a number in as few digits as tell it from all others, always with a point or an exponent; one that is
  /// not finite as a string, as protobuf's JSON mapping has it.
  package mutating func append(jsonNumber value: Double) {
    if value.isNaN {
      append("\"NaN\"")
    } else if value.isInfinite {
      append(value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
    } else {
      append(contentsOf: value.description.utf8)
    }
  }

  /// Appends the lowercase hex digits of bytes.
  package mutating func append(hex range: ByteRange, of bytes: RawSpan) {
    for offset in range.indices { append(hex: bytes.byte(at: offset)) }
  }

  private mutating func append(hex byte: UInt8) {
    append(hexDigit: byte >> 4)
    append(hexDigit: byte & 15)
  }

  private mutating func append(hexDigit value: UInt8) {
    append(value < 10 ? 0x30 &+ value : 0x61 &+ (value &- 10))
  }

  /// Appends the base64 of bytes, padded.
  package mutating func append(base64 range: ByteRange, of bytes: RawSpan) {
    var offset = Int(range.lower)
    let end = Int(range.upper)
    while offset < end {
      let count = Swift.min(3, end &- offset)
      var group: UInt32 = 0
      for index in 0..<3 { group = group << 8 | (index < count ? UInt32(bytes.byte(at: offset &+ index)) : 0) }
      for index in 0..<4 {
        let shift = UInt32(truncatingIfNeeded: 18 &- 6 &* index)
        append(index <= count ? Base64.character(group >> shift) : UInt8(ascii: "="))
      }
      offset &+= 3
    }
  }
}
