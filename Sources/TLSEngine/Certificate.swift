import COpenSSL

/// An X.509 certificate held by this process.
final class Certificate {
  let raw: OpaquePointer

  private init(owning raw: OpaquePointer) { self.raw = raw }

  deinit { X509_free(raw) }

  /// All certificates of a PEM text, at least one, in order.
  static func load(
    _ source: PEMSource, for item: TLSConfigurationFault.Item
  ) throws(TLSConfigurationFault) -> [Certificate] {
    try source.withBIO(for: item) { bio throws(TLSConfigurationFault) in
      var certificates: [Certificate] = []
      ErrorQueue.clear()
      while let raw = PEM_read_bio_X509(bio, nil, { PrivateKey.noPassphrase($3) }, nil) {
        certificates.append(Certificate(owning: raw))
      }
      let error = ErrorQueue.takeLast()
      guard ERR_GET_LIB(error) == ERR_LIB_PEM, ERR_GET_REASON(error) == PEM_R_NO_START_LINE else {
        throw TLSConfigurationFault(item, path: source.path, .badPEM)
      }
      guard !certificates.isEmpty else { throw TLSConfigurationFault(item, path: source.path, .noPEM) }
      return certificates
    }
  }

  /// The end of its validity in seconds since 1970.
  var expiry: Int64 {
    let epoch = ASN1_TIME_set(nil, 0)
    defer { ASN1_TIME_free(epoch) }
    var days: Int32 = 0
    var seconds: Int32 = 0
    let isTime = ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(raw)) == 1
    ErrorQueue.clear()
    return isTime ? Int64(days) * 86_400 + Int64(seconds) : 0
  }
}

/// A private key held by this process.
final class PrivateKey {
  let raw: OpaquePointer

  /// Answers OpenSSL's question for a passphrase with "none"; without it OpenSSL would ask on the terminal.
  static func noPassphrase(_ wasAsked: UnsafeMutableRawPointer?) -> Int32 {
    wasAsked?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
  }

  /// Reads the first private key of a PEM text.
  init(_ source: PEMSource) throws(TLSConfigurationFault) {
    raw = try source.withBIO(for: .key) { bio throws(TLSConfigurationFault) in
      var wasAsked = false
      ErrorQueue.clear()
      let key = PEM_read_bio_PrivateKey(bio, nil, { PrivateKey.noPassphrase($3) }, &wasAsked)
      let error = ErrorQueue.takeLast()
      if let key { return key }
      if wasAsked { throw TLSConfigurationFault(.key, path: source.path, .encryptedKey) }
      let isAbsent = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE
      throw TLSConfigurationFault(.key, path: source.path, isAbsent ? .noPEM : .badPEM)
    }
  }

  deinit { EVP_PKEY_free(raw) }

  /// Whether it is the key of `certificate`.
  func matches(_ certificate: Certificate) -> Bool {
    let isMatch = X509_check_private_key(certificate.raw, raw) == 1
    ErrorQueue.clear()
    return isMatch
  }
}
