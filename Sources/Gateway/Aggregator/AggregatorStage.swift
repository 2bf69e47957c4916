internal import Compression
internal import HTTP2Engine
internal import Intake
internal import Stitching
internal import Telemetry
internal import TraceWire

/// What an aggregator does with a request before the shards see it: the walk, the question whose spans they are, the
/// division among the shards, and the compression for the journal. Everything here lives on one thread.
final class AggregatorStage {
  /// A request that may be taken in.
  struct Read: Sendable {
    var request: ReceivedRequest
    /// The valid spans by shard.
    var lists: [[UInt32]]
    /// The request as the journal has it; empty where there is none.
    var packed: [UInt8]
  }

  private let shared: AggregatorShared
  private var partitioner: RequestPartitioner
  private let compressor = Compressor(.zstd)

  init(_ shared: AggregatorShared) {
    self.shared = shared
    partitioner = RequestPartitioner(map: shared.shardMap)
  }

  /// Reads a request; nil with the answer where it cannot be taken in.
  func read(_ request: IntakeRequest) -> (Read?, IntakeVerdict) {
    var facts = RequestFacts()
    facts.isLong = request.isLarge
    do {
      try facts.walk(request.body.span.bytes, keys: shared.attributeKeys, census: request.census)
    } catch {
      return (nil, .malformed(error))
    }
    if let region = request.peer.region, !Self.speaks(for: region, facts, in: request.body) {
      shared.ledger.received(facts.spans.count, by: request.receiver)
      shared.ledger.left(facts.spans.count, as: .rejected)
      return (nil, .forbidden("the certificate speaks for region \(region) and the request holds spans of another"))
    }
    let packed = shared.journal == nil ? [] : compressor.compress(request.body)
    let received = ReceivedRequest(bytes: request.body, facts: facts, peerRegion: request.peer.region)
    return (Read(request: received, lists: partitioner.partition(facts), packed: packed), .accepted)
  }

  /// Whether all of a request's spans are of the region, or name none.
  private static func speaks(for region: String, _ facts: RequestFacts, in body: [UInt8]) -> Bool {
    facts.resources.allSatisfy { resource in
      resource.spans.isEmpty || resource.region.isEmpty || body[resource.region.indices].elementsEqual(region.utf8)
    }
  }
}
