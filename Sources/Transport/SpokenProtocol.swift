/// What the first bytes of a connection say about the protocol that its client speaks.
enum SpokenProtocol {
  case http1
  case http2
  /// The bytes are the beginning of both.
  case undecided
  /// Nothing that the port serves.
  case other

  /// What every HTTP/2 client says first (RFC 9113 3.4).
  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// Judges all bytes that came so far; what ALPN agreed on goes before them.
  init(_ bytes: [UInt8], negotiated: String?, allowed: ListenerOptions.Protocols) {
    if negotiated == "h2" {
      self = .http2
    } else if negotiated == nil, Self.preface.starts(with: bytes.prefix(Self.preface.count)) {
      self = bytes.count < Self.preface.count ? .undecided : .http2
    } else {
      self = allowed == .http1AndHTTP2 ? .http1 : .other
    }
  }
}
