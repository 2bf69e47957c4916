internal import Crypto

/// The secret of a keyed hash. It is never shown.
public struct HashKey: Hashable, Sendable, CustomReflectable, CustomStringConvertible {
  /// The hash functions; each is keyed.
  public enum Function: String, CaseIterable, Sendable {
    case hmacSHA256 = "hmac-sha256"
    case hmacSHA512 = "hmac-sha512"
  }

  private let secret: [UInt8]
  private let function: Function

  /// Makes a key of a text.
  public init(_ secret: String, _ function: Function = .hmacSHA256) {
    self.secret = Array(secret.utf8)
    self.function = function
  }

  /// Never the secret: three stars.
  public var description: String { "***" }
  public var customMirror: Mirror { Mirror(self, children: []) }

  /// How many digits a hash has.
  var hashBytes: Int { function == .hmacSHA256 ? 64 : 128 }

  /// Appends the hash of a text in hexadecimal digits.
  func append(hashOf text: [UInt8], to output: inout [UInt8]) {
    let key = SymmetricKey(data: secret)
    switch function {
    case .hmacSHA256: output.append(hexOf: HMAC<SHA256>.authenticationCode(for: text, using: key))
    case .hmacSHA512: output.append(hexOf: HMAC<SHA512>.authenticationCode(for: text, using: key))
    }
  }

  /// Appends the plain SHA-256 of a text in hexadecimal digits.
  static func append(unkeyedHashOf text: [UInt8], to output: inout [UInt8]) {
    output.append(hexOf: SHA256.hash(data: text))
  }
}

extension [UInt8] {
  fileprivate mutating func append(hexOf bytes: some Sequence<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    for byte in bytes {
      append(digits[Int(byte >> 4)])
      append(digits[Int(byte & 15)])
    }
  }
}
