internal import HTTP2Engine

/// How long a peer may take for what it owes. None of it is about work of ours: whoever waits for us is not hurried.
public struct ConnectionTimeouts: Sendable, Equatable {
  /// From the connection's begin until its TLS handshake and its connection preface are whole.
  public var handshake: Duration
  /// From the first byte of a header block to its last, however many bytes come in between.
  public var header: Duration
  /// Within this a request's body has to bring `bodyBytesMin` or its end, and a peer has to read some of what it is
  /// sent. What is in vain is known after once to twice this long.
  public var stall: Duration
  /// From a request's headers to the end of its body, however steadily that comes.
  public var request: Duration
  /// How long an HTTP/1.1 connection is kept without a request; one of HTTP/2, which clients keep open on purpose, is
  /// kept `idleFactorHTTP2` times as long.
  public var idle: Duration
  /// How long a peer that has been told goodbye has to read it.
  public var linger: Duration

  /// What a body has to bring in each `stall`, unless it ends: 16 KiB in 30 s are less than the slowest links carry.
  public static let bodyBytesMin = 16 << 10
  /// How much longer an idle HTTP/2 connection is kept.
  public static let idleFactorHTTP2 = 30

  /// Timeouts.
  public init(
    handshake: Duration = .seconds(10), header: Duration = .seconds(10), stall: Duration = .seconds(30),
    request: Duration = .seconds(300), idle: Duration = .seconds(120), linger: Duration = .seconds(2)
  ) {
    self.handshake = handshake
    self.header = header
    self.stall = stall
    self.request = request
    self.idle = idle
    self.linger = linger
  }

  var idleHTTP2: Duration { idle * Self.idleFactorHTTP2 }

  /// The rule for bodies that are looked at once in every `stall`.
  var bodyRule: BodyPace.Rule {
    let looks = stall > .zero ? (request / stall).rounded(.up) : 1
    return BodyPace.Rule(bytesPerLook: Self.bodyBytesMin, looksMax: max(1, Int(min(looks, 1e9))))
  }
}
