internal import Compression
internal import HTTP2Engine
internal import Intake
internal import Policy
internal import Stitching
internal import Telemetry
internal import Tenancy
internal import TraceWire

/// What an aggregator does with a request before the shards see it: the walk, the question whose spans they are, the
/// division among the shards, and the compression for the journal. Everything here lives on one thread.
final class AggregatorStage {
  /// A request that may be taken in.
  struct Read: GivenBack {
    var request: ReceivedRequest
    /// The valid spans by shard.
    var lists: [[UInt32]]
    /// The request as the journal has it; empty where there is none.
    var packed: [UInt8]
    /// Who gives back the room of a large one.
    var remains: Remains<Read, AggregatorStage>?

    consuming func giveBack() {
      var (bytes, facts, lists) = (request.bytes, request.facts, lists)
      _ = consume self
      bytes.giveBack()
      facts.giveBack()
      for index in lists.indices { lists[index].giveBack() }
    }
  }

  private let shared: AggregatorShared
  private var partitioner: RequestPartitioner
  private let compressor = Compressor(.zstd)
  /// Nil where no processor does anything.
  private var processor: RequestProcessor?
  /// What the processors of earlier configurations did.
  private var processed = ProcessorCounts()
  private var plan = RewritePlan()

  init(_ shared: AggregatorShared) {
    self.shared = shared
    partitioner = RequestPartitioner(map: shared.shardMap)
    processor = RequestProcessor(shared.processors)
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
    var body = request.body
    if processor != nil {
      do {
        try process(&body, &facts)
      } catch {
        return (nil, .malformed(error))
      }
    }
    let packed = shared.journal == nil ? [] : compressor.compress(body)
    if let tenant = request.tenant { facts.setApart(by: tenant.mask) }
    let received = ReceivedRequest(
      bytes: body, facts: facts, tenant: request.tenant?.number ?? 0, peerRegion: request.peer.region)
    return (Read(request: received, lists: partitioner.partition(facts), packed: packed), .accepted)
  }

  /// Puts what the processors make of a request in its place. The journal and the shards see nothing else, so that a
  /// replay needs no processor: what was taken out stays out, whatever the configuration says then.
  private func process(_ body: inout [UInt8], _ facts: inout RequestFacts) throws(WireFault) {
    if facts.isInPieces {
      body = try RequestJoiner.joined(body.span.bytes)
      try facts.walk(body.span.bytes, keys: shared.attributeKeys)
    }
    plan.reset(spans: facts.spans.count, resources: facts.resources.count)
    defer { plan.giveBackRoom() }
    guard processor?.process(facts, in: body.span.bytes, plan: &plan) == 0 else {
      throw WireFault(.badValue, at: 0)
    }
    guard !plan.changesNothing else { return }
    var output: [UInt8] = []
    output.reserveCapacity(body.count + plan.scratch.count)
    _ = BatchWriter.append(
      0..<facts.spans.count, limit: .max, of: facts, in: body.span.bytes, plan: plan, to: &output)
    body = output
    try facts.walk(body.span.bytes, keys: shared.attributeKeys)
  }

  /// Puts other processors in force from the next request on.
  func adopt(_ rules: ProcessorRules) {
    processed = processorCounts
    processor = RequestProcessor(rules)
  }

  /// What the processors did here.
  var processorCounts: ProcessorCounts { processed + (processor?.total ?? ProcessorCounts()) }

  /// Whether all of a request's spans are of the region, or name none.
  private static func speaks(for region: String, _ facts: RequestFacts, in body: [UInt8]) -> Bool {
    facts.resources.allSatisfy { resource in
      resource.spans.isEmpty || resource.region.isEmpty || body[resource.region.indices].elementsEqual(region.utf8)
    }
  }
}
