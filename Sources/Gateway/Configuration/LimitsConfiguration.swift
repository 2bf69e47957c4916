/// What clients may ask of the listeners, and how long they may take.
public struct LimitsConfiguration: Sendable, Equatable {
  /// Of one request, also after decompression.
  public var maxRequestBytes = 64 << 20
  public var maxConnections = 1024
  /// Of one remote address; 0 for no such limit.
  public var maxConnectionsPerPeer = 256
  /// HTTP/2 streams of one connection.
  public var maxConcurrentStreams = 128
  /// From the connection's begin until TLS and the connection preface are done.
  public var handshakeTimeout: Duration = .seconds(10)
  /// Of one header block, from its first byte to its last.
  public var headerTimeout: Duration = .seconds(10)
  /// In which a body has to bring 16 KiB or its end, and a peer to read some of its answer.
  public var stallTimeout: Duration = .seconds(30)
  /// From a request's headers to the end of its body.
  public var requestTimeout: Duration = .seconds(300)
  /// How long an HTTP/1.1 connection is kept without a request; 30 times as long on HTTP/2.
  public var idleTimeout: Duration = .seconds(120)

  /// The defaults.
  public init() {}
}

extension LimitsConfiguration {
  /// Less would end connections that are only far away.
  private static let timeoutMin = Duration.milliseconds(100)

  static func read(_ section: SectionReader) -> LimitsConfiguration? {
    var value = LimitsConfiguration()
    // A gRPC message's length has four bytes, and protobuf ends at 2 GiB.
    value.maxRequestBytes = section["max_request_mib"]?.mebibytes(1...2047) ?? value.maxRequestBytes
    value.maxConnections = section["max_connections"]?.integer(1...1_000_000) ?? value.maxConnections
    value.maxConnectionsPerPeer =
      section["max_connections_per_peer"]?.integer(0...1_000_000) ?? value.maxConnectionsPerPeer
    value.maxConcurrentStreams = section["max_concurrent_streams"]?.integer(1...1_000_000) ?? value.maxConcurrentStreams
    func timeout(_ key: String, _ standard: Duration) -> Duration {
      section[key]?.duration(atLeast: timeoutMin) ?? standard
    }
    value.handshakeTimeout = timeout("handshake_timeout", value.handshakeTimeout)
    value.headerTimeout = timeout("header_timeout", value.headerTimeout)
    value.stallTimeout = timeout("stall_timeout", value.stallTimeout)
    value.requestTimeout = timeout("request_timeout", max(value.requestTimeout, value.stallTimeout))
    value.idleTimeout = timeout("idle_timeout", value.idleTimeout)
    return value
  }
}

extension LimitsConfiguration {
  /// Warns where a request may be larger than the memory that one can ever get, which `name` says.
  func warn(ofMemory bytes: Int, from name: String, in section: SectionReader) {
    guard maxRequestBytes > bytes else { return }
    (section["limits"] ?? section.own).warn(
      "a request of max_request_mib (\(maxRequestBytes >> 20)) never fits into the \(bytes >> 20) MiB that \(name) "
        + "leaves for one: larger requests are answered as overload for ever")
  }
}
