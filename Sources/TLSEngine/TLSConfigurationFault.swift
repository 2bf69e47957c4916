/// Why a TLS context could not be made: which item of the configuration, the file, and what is wrong with it.
/// Holds no secret: neither key material nor passphrases can get into it.
public struct TLSConfigurationFault: Error, Hashable, Sendable {
  /// The item of the configuration that is wrong.
  public enum Item: String, Sendable {
    case certificate = "certificate"
    case key = "private key"
    case authorities = "CA certificates"
    case clientAuthorities = "client CA certificates"
    case serverName = "server name"
    case applicationProtocols = "application protocols"
    case settings = "TLS settings"
  }

  /// What is wrong with the item.
  public enum Reason: Hashable, Sendable {
    /// The file cannot be read; the operating system's reason.
    case unreadable(String)
    /// More bytes than any certificate file has.
    case tooLarge
    /// No PEM block of the right type in it.
    case noPEM
    /// A PEM block that is damaged or holds something else.
    case badPEM
    /// The private key is protected by a passphrase, which nobody is there to type.
    case encryptedKey
    /// The private key belongs to another certificate.
    case keyMismatch
    /// A certificate without a key, or a key without a certificate.
    case incomplete
    /// OpenSSL does not accept it, for instance because its key is too short; OpenSSL's reason.
    case refused(String)
    /// Not a name: empty, too long, or with characters that no name has.
    case badName
  }

  /// The item of the configuration that is wrong.
  public var item: Item
  /// The file that was read, unless the item came from memory.
  public var path: String?
  /// What is wrong with the item.
  public var reason: Reason

  /// Makes a fault.
  public init(_ item: Item, path: String? = nil, _ reason: Reason) {
    self.item = item
    self.path = path
    self.reason = reason
  }
}

extension TLSConfigurationFault: CustomStringConvertible {
  /// A sentence for the operator.
  public var description: String {
    let subject = path.map { "\(item.rawValue) \($0)" } ?? item.rawValue
    switch reason {
    case .unreadable(let why): return "\(subject): cannot be read: \(why)"
    case .tooLarge: return "\(subject): larger than \(PEMSource.byteCountMax) bytes"
    case .noPEM: return "\(subject): holds no PEM block of that kind"
    case .badPEM: return "\(subject): a PEM block cannot be decoded"
    case .encryptedKey: return "\(subject): is protected by a passphrase"
    case .keyMismatch: return "\(subject): does not belong to the certificate"
    case .incomplete: return "\(subject): certificate and private key must be given together"
    case .refused(let why): return "\(subject): not accepted: \(why)"
    case .badName: return "\(subject): not a valid name"
    }
  }
}
