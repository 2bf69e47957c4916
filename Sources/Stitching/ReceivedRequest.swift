public import TraceWire

/// A walked request as the receiving loop hands it to every shard that gets spans of it. Immutable.
public final class ReceivedRequest: Sendable {
  /// The uncompressed `ExportTraceServiceRequest`.
  public let bytes: [UInt8]
  /// What the walk over `bytes` found out.
  public let facts: RequestFacts
  /// The region the peer's certificate names, for resources that name none.
  public let peerRegion: String?
  /// `peerRegion` as it is looked up.
  let peerRegionName: [UInt8]

  /// Takes over a request and its facts.
  public init(bytes: [UInt8], facts: RequestFacts, peerRegion: String? = nil) {
    self.bytes = bytes
    self.facts = facts
    self.peerRegion = peerRegion
    peerRegionName = Array((peerRegion ?? "").utf8)
  }
}
