/// Text that stays on its line whatever is in it: control characters, line ends, escape sequences, and characters that
/// turn the direction of writing are shown as JSON's escapes.
struct LogText {
  /// The longest message or value that is written, in bytes; the rest is cut and marked.
  static let valueBytesMax = 4096

  private(set) var bytes: [UInt8] = []

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Text without quotation marks: a message.
  mutating func appendPlain(_ text: String) { appendEscaped(text, isQuoted: false) }

  /// Text in quotation marks; a valid JSON string.
  mutating func appendQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    appendEscaped(text, isQuoted: true)
    bytes.append(UInt8(ascii: "\""))
  }

  /// A word as it is, anything else in quotation marks.
  mutating func appendWord(_ text: String) {
    let isWord =
      !text.isEmpty && text.utf8.count <= Self.valueBytesMax
      && text.utf8.allSatisfy { byte in
        (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
          && byte != UInt8(ascii: "\\")
      }
    if isWord { append(text) } else { appendQuoted(text) }
  }

  private mutating func appendEscaped(_ text: String, isQuoted: Bool) {
    var written = 0
    for scalar in text.unicodeScalars {
      written += UTF8.width(scalar)
      if written > Self.valueBytesMax {
        append("…")
        return
      }
      switch scalar {
      case "\"" where isQuoted: append("\\\"")
      case "\\" where isQuoted: append("\\\\")
      case "\n": append("\\n")
      case "\r": append("\\r")
      case "\t": append("\\t")
      case _ where Self.isHidden(scalar.value): appendHexadecimal(scalar.value)
      default: UTF8.encode(scalar).map { bytes.append(contentsOf: $0) }
      }
    }
  }

  /// C0, DEL and C1 controls, line and paragraph separators, zero-width and direction marks.
  private static func isHidden(_ value: UInt32) -> Bool {
    switch value {
    case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
    default: false
    }
  }

  private mutating func appendHexadecimal(_ value: UInt32) {
    let digits = String(value, radix: 16)
    append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
  }
}
