/// What one HTTP/2 connection may cost its server.
public struct HTTP2Limits: Sendable, Equatable {
  /// Requests in flight.
  public var maxConcurrentStreams: Int
  /// Bytes of a header list: name, value and 32 for each field (RFC 9113 6.5.2).
  public var headerBytesMax: Int
  /// Fields of a header list.
  public var headerFieldsMax: Int
  /// Bytes of one request's body that may be unconsumed.
  public var streamWindow: Int32
  /// Bytes of all requests' bodies that may be unconsumed.
  public var connectionWindow: Int32
  /// Frames that may wait to be drained, DATA not among them: a peer can make us answer and not read.
  public var outboundFramesMax: Int
  /// What a peer may do that costs us and brings it nothing.
  public var abuse: AbuseMeter.Budget

  /// Limits; the defaults suit an application's exporter as well as a relay's.
  public init(
    maxConcurrentStreams: Int = 128, headerBytesMax: Int = 32 << 10, headerFieldsMax: Int = 100,
    streamWindow: Int32 = 1 << 20, connectionWindow: Int32 = 8 << 20, outboundFramesMax: Int = 4096,
    abuse: AbuseMeter.Budget = AbuseMeter.Budget()
  ) {
    self.maxConcurrentStreams = maxConcurrentStreams
    self.headerBytesMax = headerBytesMax
    self.headerFieldsMax = headerFieldsMax
    self.streamWindow = streamWindow
    self.connectionWindow = connectionWindow
    self.outboundFramesMax = outboundFramesMax
    self.abuse = abuse
  }
}

/// What one HTTP/2 connection may cost its client.
public struct HTTP2ClientLimits: Sendable, Equatable {
  /// Requests in flight, where the peer allows more.
  public var requestsInFlightMax: Int
  /// Bytes of a header list.
  public var headerBytesMax: Int
  /// Fields of a header list.
  public var headerFieldsMax: Int
  /// Bytes of a response's body, and of all that have begun to come.
  public var responseBytesMax: Int
  /// Bytes of one response that may be under way.
  public var streamWindow: Int32
  /// Bytes of all responses that may be under way.
  public var connectionWindow: Int32
  /// Frames that may wait to be drained, DATA not among them.
  public var outboundFramesMax: Int
  /// What a peer may do that costs us and brings it nothing.
  public var abuse: AbuseMeter.Budget

  /// Limits of a client.
  public init(
    requestsInFlightMax: Int = 1024, headerBytesMax: Int = 32 << 10, headerFieldsMax: Int = 100,
    responseBytesMax: Int = 4 << 20, streamWindow: Int32 = 4 << 20, connectionWindow: Int32 = 16 << 20,
    outboundFramesMax: Int = 4096, abuse: AbuseMeter.Budget = AbuseMeter.Budget()
  ) {
    self.requestsInFlightMax = requestsInFlightMax
    self.headerBytesMax = headerBytesMax
    self.headerFieldsMax = headerFieldsMax
    self.responseBytesMax = responseBytesMax
    self.streamWindow = streamWindow
    self.connectionWindow = connectionWindow
    self.outboundFramesMax = outboundFramesMax
    self.abuse = abuse
  }
}

/// The part of the limits that a session needs, the same for both sides.
struct SessionLimits {
  enum Side {
    case server(maxConcurrentStreams: Int)
    case client
  }

  let side: Side
  let headerBytesMax: Int
  let headerFieldsMax: Int
  let streamWindow: Int32
  let connectionWindow: Int32
  let outboundFramesMax: Int
  let abuse: AbuseMeter.Budget

  init(_ limits: HTTP2Limits) {
    side = .server(maxConcurrentStreams: limits.maxConcurrentStreams)
    headerBytesMax = limits.headerBytesMax
    headerFieldsMax = limits.headerFieldsMax
    streamWindow = limits.streamWindow
    connectionWindow = limits.connectionWindow
    outboundFramesMax = limits.outboundFramesMax
    abuse = limits.abuse
  }

  init(_ limits: HTTP2ClientLimits) {
    side = .client
    headerBytesMax = limits.headerBytesMax
    headerFieldsMax = limits.headerFieldsMax
    streamWindow = limits.streamWindow
    connectionWindow = limits.connectionWindow
    outboundFramesMax = limits.outboundFramesMax
    abuse = limits.abuse
  }
}
