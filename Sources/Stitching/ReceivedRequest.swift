public import TraceWire

/// A walked request as the receiving loop hands it to every shard that gets spans of it. Immutable.
public final class ReceivedRequest: Sendable {
  /// The uncompressed `ExportTraceServiceRequest`.
  public let bytes: [UInt8]
  /// What the walk over `bytes` found out.
  public let facts: RequestFacts
  /// The region the peer's certificate names, for resources that name none.
  public let peerRegion: String?
  /// Whose spans these are, as a number; 0 for nobody's. Their trace IDs in `facts` are set apart from all others'.
  public let tenant: UInt16
  /// `peerRegion` as it is looked up.
  let peerRegionName: [UInt8]

  /// Takes over a request and its facts.
  public init(bytes: [UInt8], facts: RequestFacts, tenant: UInt16 = 0, peerRegion: String? = nil) {
    self.bytes = bytes
    self.facts = facts
    self.tenant = tenant
    self.peerRegion = peerRegion
    peerRegionName = Array((peerRegion ?? "").utf8)
  }
}
