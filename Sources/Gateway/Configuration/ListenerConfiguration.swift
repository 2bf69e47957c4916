/// An endpoint to listen on.
public struct ListenerConfiguration: Sendable, Equatable {
  /// A host name or address; `0.0.0.0` where the configuration leaves it out.
  public var host: String
  /// 0 picks a free port.
  public var port: Int
  /// Nil for clear text.
  public var tls: ServerTLSFiles?
  /// Nil where nobody has to show credentials.
  public var auth: AccessConfiguration?

  /// An endpoint.
  public init(host: String = "127.0.0.1", port: Int, tls: ServerTLSFiles? = nil, auth: AccessConfiguration? = nil) {
    self.host = host
    self.port = port
    self.tls = tls
    self.auth = auth
  }
}

/// Where a listener's certificates are.
public struct ServerTLSFiles: Sendable, Equatable {
  /// The certificate chain (`cert_file`).
  public var certificate: String
  /// Its private key (`key_file`).
  public var key: String
  /// Who must have signed a client's certificate (`client_ca_file`); nil asks for none.
  public var clientAuthority: String?

  /// Files.
  public init(certificate: String, key: String, clientAuthority: String? = nil) {
    self.certificate = certificate
    self.key = key
    self.clientAuthority = clientAuthority
  }
}

extension ListenerConfiguration {
  /// Reads a receiver, which is on its default port unless it says otherwise.
  static func receiver(_ port: Int) -> (SectionReader) -> ListenerConfiguration? {
    { section in
      let endpoint = section.claimedEndpoint(port)
      let tls = section.section("tls", ServerTLSFiles.read)
      let auth = section.hiddenSection("auth", AccessConfiguration.receiver)
      if auth != nil, tls == nil { section.warnOfClearCredentials() }
      return ListenerConfiguration(host: endpoint.host, port: endpoint.port, tls: tls, auth: auth)
    }
  }

  /// The admin endpoint, which is this machine's own where it has no access control.
  static func admin(_ section: SectionReader) -> ListenerConfiguration? {
    let endpoint = section.claimedEndpoint(8888)
    let auth = section.hiddenSection("auth", AccessConfiguration.admin)
    if auth != nil {
      section.warnOfClearCredentials()
    } else if !IPAddressText.isLoopback(endpoint.host) {
      (section["endpoint"] ?? section.own).warn(
        "is reachable from other machines: metrics and status are served without access control")
    }
    return ListenerConfiguration(host: endpoint.host, port: endpoint.port, auth: auth)
  }
}

extension SectionReader {
  fileprivate func warnOfClearCredentials() {
    (self["auth"] ?? own).warn("credentials are sent in clear text: whoever sees the connection can use them")
  }

  /// The section's `endpoint`, which must be its own.
  fileprivate func claimedEndpoint(_ port: Int) -> Endpoint {
    let setting = self["endpoint"]
    let endpoint = setting?.listenEndpoint() ?? Endpoint(host: "127.0.0.1", port: port)
    if let owner = own.log.claim(listener: endpoint.host, endpoint.port, by: own.path) {
      (setting ?? own).fail("\(Endpoint.text(endpoint.host, endpoint.port)) is already the endpoint of \(owner)")
    }
    return endpoint
  }
}

extension ServerTLSFiles {
  /// Nil where none of the files is given: the keys without values mean clear text.
  static func read(_ section: SectionReader) -> ServerTLSFiles? {
    let certificate = section["cert_file"]
    let key = section["key_file"]
    let authority = section["client_ca_file"]
    if certificate == nil, key == nil, authority == nil { return nil }
    let needed = "cert_file and key_file go together, and client_ca_file needs both"
    let certificatePath = section.required("cert_file", needed)?.string()
    let keyPath = section.required("key_file", needed)?.string()
    let authorityPath = authority?.string()
    guard let certificatePath, let keyPath else { return nil }
    return ServerTLSFiles(certificate: certificatePath, key: keyPath, clientAuthority: authorityPath)
  }
}
