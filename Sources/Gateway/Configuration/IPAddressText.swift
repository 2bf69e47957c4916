#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// What texts are addresses.
enum IPAddressText {
  static func isVersion4(_ text: String) -> Bool {
    var address = in_addr()
    return inet_pton(AF_INET, text, &address) == 1
  }

  static func isVersion6(_ text: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET6, text, &address) == 1
  }

  /// A block such as `10.20.0.0/16` or `2001:db8::/32`, or one address.
  static func isBlock(_ text: String) -> Bool {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let isFour = isVersion4(String(parts[0]))
    guard isFour || isVersion6(String(parts[0])) else { return false }
    guard parts.count == 2 else { return true }
    guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]) else { return false }
    return length <= (isFour ? 32 : 128)
  }

  /// Whether only this machine can reach a listener on that host.
  static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.") && isVersion4(host)
  }
}
