internal import HTTP2Engine

/// Where a client connection goes.
public struct UpstreamTarget: Sendable {
  /// What is spoken there.
  public enum Protocols: Sendable, Equatable {
    /// HTTP/2: with prior knowledge in clear text, by ALPN over TLS.
    case http2
    /// HTTP/1.1; over TLS also HTTP/2, where the peer chooses that by ALPN.
    case http1OrHTTP2
  }

  public var host: String
  public var port: Int
  /// Where the TLS context in force is found (it also holds the name to verify); `nil` for clear text.
  public var tls: TLSContextSource?
  public var protocols: Protocols
  public var connectTimeout: Duration

  /// Makes a target.
  public init(
    host: String, port: Int, tls: TLSContextSource? = nil, protocols: Protocols = .http2,
    connectTimeout: Duration = .seconds(10)
  ) {
    self.host = host
    self.port = port
    self.tls = tls
    self.protocols = protocols
    self.connectTimeout = connectTimeout
  }

  /// `host:port` as `:authority` and `host` show it.
  public var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Why a connection to an upstream could not be made or ended: a word for metrics and a sentence for the log.
public struct UpstreamFailure: Error, Sendable, Equatable {
  /// The peer asked to go elsewhere (GOAWAY, `connection: close`), and nothing is in flight any more.
  public static let goingAway = UpstreamFailure(label: "going_away", message: "the peer asked to go elsewhere")
  /// The peer closed an HTTP/1.1 connection that had nothing to do, as servers do after a while.
  public static let idle = UpstreamFailure(label: "idle", message: "the peer closed a connection that was not used")

  /// This side has closed it.
  public static let closedHere = UpstreamFailure(label: "closed_here", message: "closed by this side")

  public var label: String
  public var message: String

  /// Makes a failure.
  public init(label: String, message: String) {
    self.label = label
    self.message = message
  }
}

/// What is spoken on a client connection, once that is known.
enum UpstreamEngine {
  case undecided
  case http2(HTTP2Client)
  case http1(HTTP1Client)

  var canSubmit: Bool {
    switch self {
    case .undecided: false
    case .http2(let client): client.canSubmit
    case .http1(let client): client.canSubmit
    }
  }

  var concurrencyMax: Int {
    switch self {
    case .undecided: 0
    case .http2(let client): client.concurrencyMax
    case .http1: 1
    }
  }

  var activeRequests: Int {
    switch self {
    case .undecided: 0
    case .http2(let client): client.activeRequests
    case .http1(let client): client.isIdle ? 0 : 1
    }
  }

  var isGoingAway: Bool {
    switch self {
    case .undecided: false
    case .http2(let client): !client.acceptsNewRequests
    case .http1(let client): client.isGoingAway
    }
  }

  func connectionLost() {
    switch self {
    case .undecided: break
    case .http2(let client): client.connectionLost()
    case .http1(let client): client.connectionLost()
    }
  }
}
