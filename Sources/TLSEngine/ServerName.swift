import COpenSSL
import Glibc

/// Whom a client expects to speak to, in the form that verification wants.
enum ServerName: Equatable {
  /// A DNS name without a final dot: sent as SNI and looked for among the certificate's DNS names.
  case host(String)
  /// A numeric address: looked for among the certificate's IP addresses.
  case address(String)

  /// Reads a name as it stands in a configuration; an IPv6 address may be in brackets.
  ///
  /// OpenSSL takes an empty name for "any" and a leading dot for "any host below", so neither may get there.
  init(_ text: String) throws(TLSConfigurationFault) {
    var name = Substring(text)
    if name.hasPrefix("["), name.hasSuffix("]") {
      name = name.dropFirst().dropLast()
    }
    if Self.isAddress(String(name)) {
      self = .address(String(name))
      return
    }
    name = Substring(text)
    if name.hasSuffix(".") { name = name.dropLast() }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard name.utf8.count <= 253, labels.allSatisfy(Self.isLabel) else {
      throw TLSConfigurationFault(.serverName, .badName)
    }
    self = .host(String(name))
  }

  private static func isAddress(_ text: String) -> Bool {
    var storage = in6_addr()
    guard !text.utf8.contains(0) else { return false }
    return inet_pton(AF_INET, text, &storage) == 1 || inet_pton(AF_INET6, text, &storage) == 1
  }

  /// Letters, digits, hyphen, and the underscore that container networks use; other scripts come as `xn--`.
  private static func isLabel(_ label: Substring) -> Bool {
    (1...63).contains(label.utf8.count)
      && label.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}
