import COpenSSL

extension TLSVersion {
  /// OpenSSL's number for it.
  fileprivate var number: Int32 {
    switch self {
    case .tls12: TLS1_2_VERSION
    case .tls13: TLS1_3_VERSION
    }
  }
}

/// An `SSL_CTX` while it is being set up, and its owner afterwards.
final class ContextHandle {
  let raw: OpaquePointer

  /// AEAD with ephemeral keys only; the order is the server's preference (AES in hardware is the fastest).
  private static let tls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
  private static let tls13Ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

  /// No finite-field groups: a peer could make us compute with 8192 bits.
  private static let groups = "X25519:P-256:P-384"

  /// Certificates between a leaf and its root, at most.
  private static let chainDepthMax: Int32 = 8

  /// Without OpenSSL's exit handler, which would free its tables under threads that still speak TLS.
  private static let isLibraryReady = OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_ATEXIT), nil) == 1

  /// Makes a context with what both sides have in common.
  init(_ method: OpaquePointer?, versions: ClosedRange<TLSVersion>) throws(TLSConfigurationFault) {
    precondition(Self.isLibraryReady, "OpenSSL cannot be initialised")
    ErrorQueue.clear()
    guard let raw = SSL_CTX_new(method) else {
      throw TLSConfigurationFault(.settings, .refused(ErrorQueue.text(ErrorQueue.take())))
    }
    self.raw = raw
    SSL_CTX_set_security_level(raw, 2)
    SSL_CTX_set_options(raw, copenssl_op_hardening())
    copenssl_ctx_set_mode(raw, Int(SSL_MODE_RELEASE_BUFFERS))
    SSL_CTX_set_verify_depth(raw, Self.chainDepthMax)
    try check(copenssl_ctx_set_min_version(raw, versions.lowerBound.number), .settings)
    try check(copenssl_ctx_set_max_version(raw, versions.upperBound.number), .settings)
    try check(SSL_CTX_set_cipher_list(raw, Self.tls12Ciphers), .settings)
    try check(SSL_CTX_set_ciphersuites(raw, Self.tls13Ciphers), .settings)
    try check(copenssl_ctx_set_groups(raw, Self.groups), .settings)
  }

  deinit { SSL_CTX_free(raw) }

  /// Turns OpenSSL's "not 1" into a fault about `item`.
  private func check(
    _ verdict: Int32, _ item: TLSConfigurationFault.Item, path: String? = nil
  ) throws(TLSConfigurationFault) {
    let error = ErrorQueue.take()
    guard verdict == 1 else { throw TLSConfigurationFault(item, path: path, .refused(ErrorQueue.text(error))) }
  }

  /// Sets the certificate that is shown to the peer; answers when it expires, in seconds since 1970.
  func present(_ certificate: PEMSource, key source: PEMSource) throws(TLSConfigurationFault) -> Int64 {
    let chain = try Certificate.load(certificate, for: .certificate)
    let key = try PrivateKey(source)
    guard key.matches(chain[0]) else { throw TLSConfigurationFault(.key, path: source.path, .keyMismatch) }
    try check(SSL_CTX_use_certificate(raw, chain[0].raw), .certificate, path: certificate.path)
    try check(SSL_CTX_use_PrivateKey(raw, key.raw), .key, path: source.path)
    for intermediate in chain.dropFirst() {
      try check(copenssl_ctx_add_chain(raw, intermediate.raw), .certificate, path: certificate.path)
    }
    return chain[0].expiry
  }

  /// Trusts exactly the certificates of `source`. An intermediate or a leaf among them is trusted on its own, as users
  /// of other collectors expect.
  func trust(
    _ source: PEMSource, for item: TLSConfigurationFault.Item
  ) throws(TLSConfigurationFault) -> [Certificate] {
    let authorities = try Certificate.load(source, for: item)
    let store = SSL_CTX_get_cert_store(raw)
    for authority in authorities {
      try check(X509_STORE_add_cert(store, authority.raw), item, path: source.path)
    }
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(raw), UInt(X509_V_FLAG_PARTIAL_CHAIN))
    return authorities
  }

  /// Trusts what the system trusts.
  func trustSystem() throws(TLSConfigurationFault) {
    try check(SSL_CTX_set_default_verify_paths(raw), .authorities)
  }

  /// Says what the peer's certificate must be good for (`X509_PURPOSE_...`).
  func requirePurpose(_ purpose: Int32) throws(TLSConfigurationFault) {
    try check(SSL_CTX_set_purpose(raw, purpose), .settings)
  }
}
