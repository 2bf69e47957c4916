/// The oldest protocol version a side speaks.
public enum TLSVersion: String, Sendable, CaseIterable {
  case tls12 = "1.2"
  case tls13 = "1.3"
}

extension TLSVersion: Comparable {
  /// Older versions come first.
  public static func < (older: TLSVersion, newer: TLSVersion) -> Bool { older == .tls12 && newer == .tls13 }
}

/// How a listener speaks TLS.
public struct TLSServerConfiguration: Sendable {
  /// The certificate shown to clients: the leaf first, then its intermediates.
  public var certificate: PEMSource
  /// The leaf's private key, without a passphrase.
  public var key: PEMSource
  /// Whose certificates clients must show. `nil`: no client certificate is asked for.
  ///
  /// With it, sessions are never resumed: a resumed session would skip verification against authorities that changed
  /// since it was first made.
  public var clientAuthorities: PEMSource?
  /// The oldest version that is spoken.
  public var minimumVersion: TLSVersion
  /// ALPN names in order of preference. A client that offers ALPN but none of these is refused; one that offers none
  /// is let in without a negotiated protocol.
  public var applicationProtocols: [String]
  /// The newest version that is spoken; tests make older peers with it.
  var maximumVersion = TLSVersion.tls13

  /// Makes a configuration.
  public init(
    certificate: PEMSource, key: PEMSource, clientAuthorities: PEMSource? = nil, minimumVersion: TLSVersion = .tls12,
    applicationProtocols: [String] = ["h2", "http/1.1"]
  ) {
    self.certificate = certificate
    self.key = key
    self.clientAuthorities = clientAuthorities
    self.minimumVersion = minimumVersion
    self.applicationProtocols = applicationProtocols
  }
}

/// How connections to one server speak TLS. The server's certificate is always verified; "insecure" means no TLS at
/// all and is decided elsewhere.
public struct TLSClientConfiguration: Sendable {
  /// The host name or numeric address that the server's certificate must be for. A name is also sent as SNI; an
  /// address is looked for among the certificate's IP addresses and not sent.
  public var serverName: String
  /// Whose certificates are trusted; roots, or intermediates and leaves on their own. `nil`: the system's.
  public var authorities: PEMSource?
  /// The certificate shown to a server that asks: the leaf first, then its intermediates.
  public var certificate: PEMSource?
  /// The leaf's private key, without a passphrase.
  public var key: PEMSource?
  /// The oldest version that is spoken.
  public var minimumVersion: TLSVersion
  /// ALPN names in order of preference.
  public var applicationProtocols: [String]

  /// Makes a configuration.
  public init(
    serverName: String, authorities: PEMSource? = nil, certificate: PEMSource? = nil, key: PEMSource? = nil,
    minimumVersion: TLSVersion = .tls13, applicationProtocols: [String] = ["h2"]
  ) {
    self.serverName = serverName
    self.authorities = authorities
    self.certificate = certificate
    self.key = key
    self.minimumVersion = minimumVersion
    self.applicationProtocols = applicationProtocols
  }

  /// Whether `text` is a name or an address that a server's certificate could be for.
  public static func isServerName(_ text: String) -> Bool { (try? ServerName(text)) != nil }
}
