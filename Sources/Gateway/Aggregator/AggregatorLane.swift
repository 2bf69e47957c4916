internal import Delivery
internal import HTTP2Engine
internal import Intake
internal import NIOCore
internal import Stitching
internal import Telemetry
internal import TraceWire
internal import Transport

/// What one event loop of an aggregator does: it walks the requests of its connections and hands every shard its
/// spans; it keeps one shard, closes that shard's traces and hands them to its lanes of every exporter.
final class AggregatorLane: SpanConsumer {
  /// How often traces are looked after.
  private static let tick = TimeAmount.milliseconds(50)

  private let shared: AggregatorShared
  private let number: Int
  private let loop: any EventLoop
  private let shard: StitchingShard
  private let exporters: [ExporterLane]
  private var partitioner: RequestPartitioner
  private var batcher: Batcher
  private var sealed: [Batch] = []
  /// Bytes of the shard that the budget is charged with.
  private var chargedBytes = 0
  private var ticker: RepeatedTask?
  /// The lanes of all loops, by which a shard elsewhere is reached.
  private var lanes: PerLoop<AggregatorLane>?

  init(_ shared: AggregatorShared, shard: StitchingShard, exporters: [ExporterLane], number: Int, loop: any EventLoop) {
    self.shared = shared
    self.shard = shard
    self.exporters = exporters
    self.number = number
    self.loop = loop
    partitioner = RequestPartitioner(map: shared.shardMap)
    batcher = Batcher(shared.batchLimits)
  }

  /// Begins to look after traces; `lanes` are those of all loops.
  func start(_ lanes: PerLoop<AggregatorLane>) {
    self.lanes = lanes
    let lane = NIOLoopBound(self, eventLoop: loop)
    ticker = loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in lane.value.lookAfter() }
  }

  // MARK: Taking in

  var hasRoom: Bool { shared.hasRoom }

  func consume(_ request: IntakeRequest, completion: @escaping (IntakeVerdict) -> Void) {
    completion(take(request))
  }

  private func take(_ request: IntakeRequest) -> IntakeVerdict {
    var facts = RequestFacts()
    do {
      try facts.walk(request.body.span.bytes, keys: shared.attributeKeys)
    } catch {
      return .malformed(error)
    }
    let count = facts.spans.count
    if let region = request.peer.region, !Self.speaks(for: region, facts, in: request.body) {
      shared.ledger.received(count, by: request.receiver)
      shared.ledger.left(count, as: .rejected)
      return .forbidden("the certificate speaks for region \(region) and the request holds spans of another")
    }
    guard let charge = RequestCharge(request.body.count, to: shared.budget) else {
      return .overload(retryAfter: shared.retryAfter)
    }
    let received = ReceivedRequest(bytes: request.body, facts: facts, peerRegion: request.peer.region)
    let lists = partitioner.partition(facts)
    let valid = lists.reduce(0) { $0 + $1.count }
    shared.ledger.received(count, by: request.receiver)
    shared.ledger.left(count - valid, as: .rejected)
    shared.ledger.held(valid, in: .stitching)
    for (shard, list) in lists.enumerated() where !list.isEmpty {
      if shard == number {
        ingest(received, list)
        continue
      }
      lanes?.execute(on: shard) { lane in
        lane.ingest(received, list)
        withExtendedLifetime(charge) {}
      }
    }
    guard valid < count else { return .accepted }
    return .accepted(
      rejectedSpans: count - valid, message: "\(count - valid) spans with a trace ID or span ID that is not valid")
  }

  /// Whether all of a request's spans are of the region, or name none.
  private static func speaks(for region: String, _ facts: RequestFacts, in body: [UInt8]) -> Bool {
    facts.resources.allSatisfy { resource in
      resource.spans.isEmpty || resource.region.isEmpty || body[resource.region.indices].elementsEqual(region.utf8)
    }
  }

  /// Takes this shard's spans out of a request.
  private func ingest(_ request: ReceivedRequest, _ spans: [UInt32]) {
    let now = NIODeadline.now().uptimeNanoseconds
    let report = shard.ingest(request, spans: spans, now: now)
    leave(report.duplicates, as: .duplicate)
    leave(report.overBudget, as: .overBudget)
    if report.late > 0 { handOn(report.latePayload, spans: report.late, now: now) }
    handOn(report.closed, now: now)
  }

  /// Charges the budget with what the shard holds now.
  private func chargeHeldBytes() {
    let change = shard.heldBytes - chargedBytes
    chargedBytes = shard.heldBytes
    if change > 0 { shared.budget.reserveUnchecked(change) } else { shared.budget.release(-change) }
  }

  private func leave(_ count: Int, as outcome: Outcome) {
    guard count > 0 else { return }
    shared.ledger.held(-count, in: .stitching)
    shared.ledger.left(count, as: outcome)
  }

  // MARK: Closing and handing on

  /// Closes the traces whose time has come, and sends batches that have waited long enough.
  private func lookAfter() {
    let now = NIODeadline.now().uptimeNanoseconds
    repeat { handOn(shard.advance(to: now), now: now) } while shard.nextDeadline.map { $0 <= now } ?? false
    if batcher.isDue(now), let batch = batcher.seal() { sealed.append(batch) }
    dispatchSealed()
  }

  /// Closes every trace and sends everything on its way.
  func flush() {
    let now = NIODeadline.now().uptimeNanoseconds
    ticker?.cancel()
    handOn(shard.closeAll(now: now), now: now)
    if let batch = batcher.seal() { sealed.append(batch) }
    dispatchSealed()
  }

  /// Hands on closed traces.
  private func handOn(_ traces: [ClosedTrace], now: UInt64) {
    for trace in traces { handOn(trace.payload, spans: trace.spanCount, now: now) }
    chargeHeldBytes()
    dispatchSealed()
  }

  private func handOn(_ payload: [UInt8], spans: Int, now: UInt64) {
    guard shared.fanOut != nil else { return leave(spans, as: .forwarded) }
    let appended = batcher.append(whole: payload, spans: spans, now: now, sealed: &sealed)
    shared.budget.reserveUnchecked(appended.bytes)
    shared.ledger.moved(spans, from: .stitching, to: .batch)
  }

  private func dispatchSealed() {
    guard let fanOut = shared.fanOut else { return }
    for batch in sealed {
      shared.ledger.moved(batch.spanCount, from: .batch, to: .queue)
      let handing = fanOut.hand(batch)
      for index in handing.takers { exporters[index].enqueue(handing.batch) }
    }
    sealed.removeAll(keepingCapacity: true)
  }

  /// Puts other limits of this loop's shard in force.
  func adopt(_ limits: StitchingLimits) { shard.adopt(limits) }

  /// What this loop's shard counted.
  func flows() -> FlowSnapshot { shard.snapshot() }
}
