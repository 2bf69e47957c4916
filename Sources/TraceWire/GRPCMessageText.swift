/// The percent-encoding of the `grpc-message` header (gRPC over HTTP/2, "Responses").
public enum GRPCMessageText {
  /// Encodes a message: printable ASCII but `%` stands for itself, every other byte of its UTF-8 is `%XX`.
  public static func encode(_ message: String) -> [UInt8] {
    var encoded: [UInt8] = []
    for byte in message.utf8 {
      if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
        encoded.append(byte)
      } else {
        encoded.append(UInt8(ascii: "%"))
        encoded.append(uppercaseHex(byte >> 4))
        encoded.append(uppercaseHex(byte & 0xf))
      }
    }
    return encoded
  }

  /// Decodes a message. As gRPC demands nothing is lost over a mistake: what is no valid escape stands for itself,
  /// what is no UTF-8 becomes U+FFFD.
  public static func decode(_ encoded: some Collection<UInt8>) -> String {
    let bytes = [UInt8](encoded)
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: "%"), bytes.count - position > 2,
        let high = bytes[position + 1].hexDigitValue, let low = bytes[position + 2].hexDigitValue
      {
        decoded.append(high << 4 | low)
        position += 3
      } else {
        decoded.append(bytes[position])
        position += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  private static func uppercaseHex(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x37 + nibble }
}

extension UInt8 {
  /// What an ASCII hex digit of either case stands for; `nil` for any other byte.
  @inlinable package var hexDigitValue: UInt8? {
    switch self {
    case 0x30...0x39: self &- 0x30
    case 0x41...0x46: self &- 0x37
    case 0x61...0x66: self &- 0x57
    default: nil
    }
  }
}
