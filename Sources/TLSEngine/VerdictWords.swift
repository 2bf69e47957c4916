import COpenSSL

/// Words for why a peer's certificate was not accepted: OpenSSL's, and behind them what to look at. Nothing in them
/// comes from the peer.
struct VerdictWords {
  /// The side that judged.
  let role: TLSContext.Role

  /// Words for a verdict (`X509_V_ERR_...`) in a handshake that has just failed.
  func text(_ verdict: Int, of ssl: OpaquePointer) -> String {
    guard verdict != Int(X509_V_ERR_APPLICATION_VERIFICATION) else {
      return "certificate does not name one valid SPIFFE ID"
    }
    let words = String(cString: X509_verify_cert_error_string(verdict))
    return advice(verdict, of: ssl).map { "\(words): \($0)" } ?? words
  }

  private func advice(_ verdict: Int, of ssl: OpaquePointer) -> String? {
    switch Int32(exactly: verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: expected(of: ssl)
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      "no trusted authority issued it, or an intermediate certificate was not sent"
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: "it is not among the trusted ones"
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: "its root is not among the trusted ones"
    case X509_V_ERR_CERT_NOT_YET_VALID: "unless this machine's clock is wrong"
    case X509_V_ERR_INVALID_PURPOSE:
      switch role {
      case .client: "its extended key usage does not allow a TLS server"
      case .server: "its extended key usage does not allow a TLS client"
      }
    default: nil
    }
  }

  private func expected(of ssl: OpaquePointer) -> String? {
    let wanted: String
    switch role {
    case .server: return nil
    case .client(.host(let host)): wanted = "no alternative name in it is \(host)"
    case .client(.address(let address)): wanted = "no IP address among its alternative names is \(address)"
    }
    return hasAlternativeNames(ssl) ? wanted : "it has no alternative names, and its common name does not count"
  }

  private func hasAlternativeNames(_ ssl: OpaquePointer) -> Bool {
    guard let chain = SSL_get_peer_cert_chain(ssl), let leaf = OPENSSL_sk_value(chain, 0) else { return true }
    return X509_get_ext_by_NID(OpaquePointer(leaf), NID_subject_alt_name, -1) >= 0
  }
}
