/// What came to a sink.
public struct SinkCounts: Sendable, Codable, Equatable {
  /// Requests that came whole.
  public var requests = 0
  /// Those that were refused, as it was told; nothing else is counted of them.
  public var refused = 0
  /// Those that no OTLP request could be read from.
  public var malformed = 0
  /// Spans of the accepted.
  public var spans = 0
  /// Bytes of the accepted requests' bodies as they came, before decompression, gRPC's prefix included; frames and TLS
  /// are not.
  public var bytes = 0

  /// Nothing.
  public init() {}

  mutating func add(_ other: SinkCounts) {
    requests += other.requests
    refused += other.refused
    malformed += other.malformed
    spans += other.spans
    bytes += other.bytes
  }
}
