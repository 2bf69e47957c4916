/// Why a TLS session ended: what a connection logs and counts before it hangs up.
/// The words are OpenSSL's or ours, never the peer's.
public struct TLSFault: Error, Hashable, Sendable {
  /// What kind of failure it is; the raw value is fit for a metric label.
  public enum Kind: String, Sendable, CaseIterable {
    /// No common version, cipher or application protocol, or bytes that are not TLS.
    case handshakeFailed = "handshake_failed"
    /// The peer's certificate was missing or not acceptable.
    case verificationFailed = "verification_failed"
    /// The peer sent a fatal alert: it refused us. It may come after our own side was established (TLS 1.3 clients
    /// learn only then that their certificate was refused).
    case refusedByPeer = "refused_by_peer"
    /// A record that does not decrypt, or a message out of place, after the handshake.
    case protocolError = "protocol_error"
    /// The peer asked to negotiate the session anew (TLS 1.2), which costs much and is never needed.
    case renegotiation = "renegotiation"
    /// More handshake than any session needs: bytes before it is established, messages afterwards.
    case flood = "flood"
    /// The session was closed on this side already.
    case closed = "closed"
  }

  /// What kind of failure it is.
  public var kind: Kind
  /// The cause: OpenSSL's words, such as "certificate has expired" or "hostname mismatch", and what they mean here.
  public var detail: String
  /// OpenSSL's `X509_V_ERR_...` number where `kind` is `.verificationFailed`.
  public var verifyCode: Int?
  /// The number of the alert where `kind` is `.refusedByPeer`.
  public var alert: UInt8?

  /// Makes a fault.
  public init(_ kind: Kind, _ detail: String, verifyCode: Int? = nil, alert: UInt8? = nil) {
    self.kind = kind
    self.detail = detail
    self.verifyCode = verifyCode
    self.alert = alert
  }
}

extension TLSFault: CustomStringConvertible {
  /// A sentence for the log.
  public var description: String {
    switch kind {
    case .handshakeFailed: "TLS handshake failed: \(detail)"
    case .verificationFailed: "TLS peer not verified: \(detail)"
    case .refusedByPeer: "TLS peer refused: \(detail)"
    case .protocolError: "TLS protocol error: \(detail)"
    case .renegotiation: "TLS renegotiation refused: \(detail)"
    case .flood: "TLS handshake flood: \(detail)"
    case .closed: "TLS session closed: \(detail)"
    }
  }
}
