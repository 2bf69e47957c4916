import COpenSSL

/// What the sessions of one listener, or to one server, have in common: identity, trust, versions, protocols.
///
/// It never changes. A reload makes a new context for new sessions; the ones that exist keep theirs alive.
///
/// - TLS 1.3, and 1.2 with ephemeral keys and AEAD ciphers; no renegotiation, no compression, no early data.
/// - Host names are looked for among the certificate's alternative names only, never in its subject, and a wildcard
///   stands for exactly one whole label.
/// - A certificate with an extended key usage must be for the side it is used on.
///
/// SAFETY: `@unchecked Sendable` because the `SSL_CTX` is written in `init` only; OpenSSL guards the reference count,
/// the ticket keys and the certificate store inside it with its own locks.
public final class TLSContext: @unchecked Sendable {
  /// Which side of a session, and what it needs to know.
  enum Role {
    case server
    case client(ServerName)
  }

  let handle: ContextHandle
  let role: Role
  private let protocols: ApplicationProtocols

  /// When the certificate that is shown to peers (its leaf) expires, in seconds since 1970; `nil` without one.
  public let certificateExpiry: Int64?

  /// Whether peers are asked for a certificate and verified.
  let verifiesPeer: Bool

  /// Makes the context of a listener. An expired certificate is no fault; what cannot work at all is.
  public init(server: TLSServerConfiguration) throws(TLSConfigurationFault) {
    protocols = try ApplicationProtocols(server.applicationProtocols)
    handle = try ContextHandle(TLS_server_method(), versions: server.minimumVersion...server.maximumVersion)
    role = .server
    verifiesPeer = server.clientAuthorities != nil
    certificateExpiry = try handle.present(server.certificate, key: server.key)
    SSL_CTX_set_session_id_context(handle.raw, Array("longspan".utf8), 8)
    copenssl_ctx_set_session_cache(handle.raw, Int(SSL_SESS_CACHE_OFF))
    if let clientAuthorities = server.clientAuthorities {
      try handle.requirePurpose(X509_PURPOSE_SSL_CLIENT)
      for authority in try handle.trust(clientAuthorities, for: .clientAuthorities) {
        SSL_CTX_add_client_CA(handle.raw, authority.raw)
      }
      SSL_CTX_set_verify(handle.raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT) {
        TLSContext.verifyRegion($0, $1)
      }
      SSL_CTX_set_options(handle.raw, copenssl_op_no_ticket())
      SSL_CTX_set_num_tickets(handle.raw, 0)
    }
    if !protocols.bytes.isEmpty {
      SSL_CTX_set_alpn_select_cb(
        handle.raw, { ApplicationProtocols.select($1, $2, from: $3, $4, $5) },
        Unmanaged.passUnretained(protocols).toOpaque())
    }
    ErrorQueue.clear()
  }

  /// Makes the context for connections to one server.
  public init(client: TLSClientConfiguration) throws(TLSConfigurationFault) {
    protocols = try ApplicationProtocols(client.applicationProtocols)
    role = .client(try ServerName(client.serverName))
    handle = try ContextHandle(TLS_client_method(), versions: client.minimumVersion...(.tls13))
    verifiesPeer = true
    switch (client.certificate, client.key) {
    case (let certificate?, let key?): certificateExpiry = try handle.present(certificate, key: key)
    case (nil, nil): certificateExpiry = nil
    case (_, nil): throw TLSConfigurationFault(.key, .incomplete)
    case (nil, _): throw TLSConfigurationFault(.certificate, .incomplete)
    }
    try handle.requirePurpose(X509_PURPOSE_SSL_SERVER)
    if let authorities = client.authorities {
      _ = try handle.trust(authorities, for: .authorities)
    } else {
      try handle.trustSystem()
    }
    SSL_CTX_set_verify(handle.raw, SSL_VERIFY_PEER, nil)
    copenssl_ctx_set_session_cache(handle.raw, Int(SSL_SESS_CACHE_OFF))
    X509_VERIFY_PARAM_set_hostflags(
      SSL_CTX_get0_param(handle.raw),
      UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    if !protocols.bytes.isEmpty {
      SSL_CTX_set_alpn_protos(handle.raw, protocols.bytes.baseAddress, UInt32(protocols.bytes.count))
    }
    ErrorQueue.clear()
  }

  /// Called for each certificate of a client's chain that OpenSSL has judged: refuses a leaf that cannot be read as
  /// speaking for one region or for none.
  private static func verifyRegion(_ isGood: Int32, _ store: OpaquePointer?) -> Int32 {
    guard isGood == 1, X509_STORE_CTX_get_error_depth(store) == 0 else { return isGood }
    guard let leaf = X509_STORE_CTX_get_current_cert(store), PeerRegion(certificate: leaf) != .invalid else {
      X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
      return 0
    }
    return 1
  }
}
