import COpenSSL

extension TLSFault {
  /// Tells what a failed call of OpenSSL means: from the first error in its queue and what the session says.
  init(error: UInt, of ssl: OpaquePointer, as role: TLSContext.Role, isEstablished: Bool) {
    let reason = ERR_GET_REASON(error)
    let isOurs = ERR_GET_LIB(error) == ERR_LIB_SSL
    if isOurs, let alert = UInt8(exactly: reason - SSL_AD_REASON_OFFSET) {
      self.init(.refusedByPeer, AlertWords.text(alert), alert: alert)
      return
    }
    guard !isEstablished else {
      self.init(.protocolError, ErrorQueue.text(error))
      return
    }
    let verdict = SSL_get_verify_result(ssl)
    if verdict != Int(X509_V_OK) {
      self.init(.verificationFailed, VerdictWords(role: role).text(verdict, of: ssl), verifyCode: verdict)
    } else if isOurs, reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE {
      self.init(.verificationFailed, "no client certificate")
    } else {
      self.init(.handshakeFailed, ErrorQueue.text(error))
    }
  }
}
