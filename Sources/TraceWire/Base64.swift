/// Base64 (RFC 4648) as protobuf's JSON and gRPC's headers have it: both alphabets, padding optional.
enum Base64 {
  /// The character of the standard alphabet for the low six bits.
  static func character(_ bits: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: bits & 63)
    switch value {
    case 0..<26: return 0x41 &+ value
    case 26..<52: return 0x61 &+ (value &- 26)
    case 52..<62: return 0x30 &+ (value &- 52)
    case 62: return UInt8(ascii: "+")
    default: return UInt8(ascii: "/")
    }
  }

  /// Appends what the characters in a range stand for. Padding, where there is any, must be right in number; bits that
  /// no byte uses are ignored. Throws `badValue` at the character that does not belong there.
  static func decode(_ range: Range<Int>, of bytes: RawSpan, to output: inout [UInt8]) throws(WireFault) {
    let end = try unpaddedEnd(range, of: bytes)
    var group: UInt32 = 0
    var count = 0
    for offset in range.lowerBound..<end {
      guard let bits = value(bytes.byte(at: offset)) else { throw WireFault(.badValue, at: offset) }
      group = group << 6 | bits
      count &+= 1
      if count == 4 {
        for shift in stride(from: UInt32(16), through: 0, by: -8) {
          output.append(UInt8(truncatingIfNeeded: group >> shift))
        }
        group = 0
        count = 0
      }
    }
    switch count {
    case 1: throw WireFault(.badValue, at: end)
    case 2: output.append(UInt8(truncatingIfNeeded: group >> 4))
    case 3:
      output.append(UInt8(truncatingIfNeeded: group >> 10))
      output.append(UInt8(truncatingIfNeeded: group >> 2))
    default: break
    }
  }

  private static func unpaddedEnd(_ range: Range<Int>, of bytes: RawSpan) throws(WireFault) -> Int {
    var end = range.upperBound
    while end > range.lowerBound, bytes.byte(at: end &- 1) == UInt8(ascii: "=") { end &-= 1 }
    let padding = range.upperBound &- end
    guard padding == 0 || (padding <= 2 && range.count % 4 == 0) else { throw WireFault(.badValue, at: end) }
    return end
  }

  private static func value(_ character: UInt8) -> UInt32? {
    switch character {
    case 0x41...0x5a: UInt32(character &- 0x41)
    case 0x61...0x7a: UInt32(character &- 0x61 &+ 26)
    case 0x30...0x39: UInt32(character &- 0x30 &+ 52)
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
