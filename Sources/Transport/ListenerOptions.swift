public import HTTP2Engine

/// How one listener serves.
public struct ListenerOptions: Sendable {
  /// What may be spoken on the port.
  public enum Protocols: Sendable {
    /// HTTP/2 alone (gRPC).
    case http2
    /// HTTP/1.1 and HTTP/2, told apart by ALPN or by the connection preface.
    case http1AndHTTP2
  }

  /// Name for log lines, such as `otlp_grpc`.
  public var name: String
  public var host: String
  /// 0 picks a free port.
  public var port: Int
  public var protocols: Protocols
  /// Where new connections find the current TLS context; `nil` for clear text.
  public var tls: TLSContextSource?
  /// The limits of an HTTP/2 connection. Those of headers hold for HTTP/1.1 as well.
  public var http2: HTTP2Limits
  public var timeouts: ConnectionTimeouts

  /// Makes options.
  public init(
    name: String, host: String, port: Int, protocols: Protocols, tls: TLSContextSource? = nil,
    http2: HTTP2Limits = HTTP2Limits(), timeouts: ConnectionTimeouts = ConnectionTimeouts()
  ) {
    self.name = name
    self.host = host
    self.port = port
    self.protocols = protocols
    self.tls = tls
    self.http2 = http2
    self.timeouts = timeouts
  }
}
