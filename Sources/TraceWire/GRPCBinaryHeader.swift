/// The base64 of gRPC's headers whose names end in `-bin`: written without padding, read with or without.
public enum GRPCBinaryHeader {
  /// Encodes a header's value.
  public static func encode(_ value: [UInt8]) -> [UInt8] {
    var encoded: [UInt8] = []
    encoded.reserveCapacity(value.count / 3 * 4 + 4)
    var position = 0
    while position < value.count {
      let left = value.count - position
      let first = UInt32(value[position])
      let second = left > 1 ? UInt32(value[position + 1]) : 0
      let third = left > 2 ? UInt32(value[position + 2]) : 0
      let group = first << 16 | second << 8 | third
      for index in 0..<min(left + 1, 4) { encoded.append(Base64.character(group >> UInt32(18 - 6 * index))) }
      position += 3
    }
    return encoded
  }

  /// Decodes a header's value; `nil` where it is not base64.
  public static func decode(_ encoded: [UInt8]) -> [UInt8]? {
    var value: [UInt8] = []
    do {
      try Base64.decode(0..<encoded.count, of: encoded.span.bytes, to: &value)
    } catch {
      return nil
    }
    return value
  }
}
