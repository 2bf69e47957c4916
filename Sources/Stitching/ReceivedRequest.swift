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

  // Here and not where they are needed, so that nobody counts a reference for each of the facts' arrays.

  /// Appends the spans whose indices are at these positions of a list, with what their resources and scopes hold.
  func copy(_ indices: [UInt32], _ positions: Range<Int>, to output: inout [UInt8]) {
    let bytes = bytes
    BatchWriter.append(spans: indices.span.extracting(positions), of: facts, in: bytes.span.bytes, to: &output)
  }

  /// What `copy` appends.
  func byteCount(_ indices: [UInt32], _ positions: Range<Int>) -> Int {
    BatchWriter.byteCount(spans: indices.span.extracting(positions), of: facts)
  }
}
