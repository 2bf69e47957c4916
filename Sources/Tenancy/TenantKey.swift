internal import Crypto
internal import TraceWire

/// The secret of which every tenant's mask is made.
///
/// Two tenants' traces stay apart because their IDs are combined with two masks of 128 bits: everything past the walk (the
/// shard map, the tables of live and closed traces, links, the relay's memory of routes, the journal) goes by the
/// combined ID and needs to know of no tenant. Whoever could compute masks could choose a trace ID that comes to the
/// same as another tenant's does with that tenant's mask; so a mask is an HMAC of the name under a key that nobody
/// outside knows, and no combined ID leaves the process but into its journal. For the journal, which is read by the next
/// life, the key lies beside it; where nothing outlives the process the key is as short-lived.
public struct TenantKey: Sendable {
  /// Its length in bytes.
  public static let byteCount = 32

  private let key: SymmetricKey

  /// A key that was kept; nil where these bytes are none.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    key = SymmetricKey(data: bytes)
  }

  private init() { key = SymmetricKey(size: .bits256) }

  /// A new key.
  public static func random() -> TenantKey { TenantKey() }

  /// The bytes to keep.
  public var bytes: [UInt8] { key.withUnsafeBytes { Array($0) } }

  /// A tenant's mask.
  func mask(of name: String) -> TraceID {
    let code = HMAC<SHA256>.authenticationCode(for: Array(name.utf8), using: key)
    var words: (UInt64, UInt64) = (0, 0)
    for (place, byte) in code.prefix(16).enumerated() {
      if place < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
    }
    return TraceID(high: words.0, low: words.1)
  }
}
