/// What a tenant may be called: 1 to 150 letters, digits and `! - _ . * ' ( )`, but not `.` or `..`, because others use
/// the name as a folder's (Grafana Mimir, "About tenant IDs"; Tempo and Loki keep to the same).
public enum TenantName {
  /// The longest name, in bytes.
  public static let bytesMax = 150

  /// The name that these bytes are; nil where they are none.
  public static func read(_ bytes: some Collection<UInt8>) -> String? {
    guard (1...bytesMax).contains(bytes.count), bytes.allSatisfy(isAllowed) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    return text == "." || text == ".." ? nil : text
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case UInt8(ascii: "!"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "*"): true
    case UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"): true
    default: false
    }
  }
}
