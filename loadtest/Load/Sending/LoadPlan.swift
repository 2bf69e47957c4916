public import Compression
public import TLSEngine

/// How requests are carried.
public enum LoadProtocol: String, Sendable, CaseIterable {
  case grpc
  /// OTLP/HTTP 1.1: a connection has one request in flight.
  case http
}

/// When requests are sent.
public enum LoadPace: Sendable, Equatable {
  /// Closed loop: so many are in flight on each connection, and the next goes when one is answered.
  case inFlight(Int)
  /// Open loop: so many requests a second, whatever the answers do. A latency counts from when its request should have
  /// been sent.
  case perSecond(Double)
}

/// When sending ends.
public enum LoadEnd: Sendable, Equatable {
  case requests(Int)
  case after(Duration)
}

/// What is sent where, how and for how long.
public struct LoadPlan: Sendable {
  public var host: String
  public var port: Int
  /// `nil` for clear text.
  public var tls: TLSClientConfiguration?
  public var transport: LoadProtocol
  public var coding: ContentCoding
  public var connections: Int
  public var pace: LoadPace
  public var end: LoadEnd
  /// Requests whose latency is not recorded, on all connections together.
  public var warmup: Int
  /// Event loops.
  public var threads: Int
  /// How long answers are waited for at the end, and a connection at the beginning.
  public var patience: Duration
  /// Compressed requests that are prepared and then sent again and again; 0: each is compressed when it is sent.
  public var pool: Int
  public var traffic: Traffic

  /// Makes a plan of one connection in clear text.
  public init(
    host: String, port: Int, tls: TLSClientConfiguration? = nil, transport: LoadProtocol = .grpc,
    coding: ContentCoding = .identity, connections: Int = 1, pace: LoadPace = .inFlight(8),
    end: LoadEnd = .requests(1000), warmup: Int = 0, threads: Int = 1, patience: Duration = .seconds(30),
    pool: Int = 0, traffic: Traffic
  ) {
    self.host = host
    self.port = port
    self.tls = tls
    self.transport = transport
    self.coding = coding
    self.connections = connections
    self.pace = pace
    self.end = end
    self.warmup = warmup
    self.threads = threads
    self.patience = patience
    self.pool = pool
    self.traffic = traffic
  }
}
