internal import Delivery
internal import HTTP2Engine
internal import Intake
internal import NIOCore
internal import Policy
internal import Stitching
internal import Telemetry
internal import Tenancy
internal import TraceWire
internal import Transport

/// What one event loop of an aggregator does: it has the requests of its connections read, large ones on a thread of
/// their own, and hands every shard its spans; it keeps one shard, closes that shard's traces and hands them to its
/// lanes of every exporter.
///
/// With a journal, batches and closings go through its log and come back in the log's order; without one they take
/// effect at once.
final class AggregatorLane: SpanConsumer {
  /// How often traces are looked after.
  private static let tick = TimeAmount.milliseconds(50)
  /// Spans of a request that a shard takes in without a pause.
  private static let spansAtOnce = 1024
  /// Spans of a larger one that it takes in before it does something else.
  private static let spansInTurn = 256

  let shared: AggregatorShared
  let number: Int
  let loop: any EventLoop
  let shard: StitchingShard
  let exporters: [ExporterLane]
  var batcher: TenantBatcher
  var sealed: [Batch] = []
  /// Which entries of the journal this shard needs; nil without a journal.
  var account: JournalAccount?
  private let stage: AggregatorStage
  private let bulk: PerLoop<AggregatorStage>
  let turns: Turns
  /// Bytes of the shard that the budget is charged with.
  private var chargedBytes = 0
  /// Whether every trace is to close, whatever its time.
  var isDraining = false
  /// Whether traces are closing that are too many for one turn.
  var isClosing = false
  /// Whether spans are being compressed that are too many for one turn.
  var isPacking = false
  private var ticker: RepeatedTask?
  /// The lanes of all loops, by which a shard elsewhere is reached.
  private var lanes: PerLoop<AggregatorLane>?

  init(
    _ shared: AggregatorShared, shard: StitchingShard, exporters: [ExporterLane], bulk: PerLoop<AggregatorStage>,
    turns: Turns, retention: Duration, number: Int, loop: any EventLoop
  ) {
    self.shared = shared
    self.bulk = bulk
    self.turns = turns
    self.shard = shard
    self.exporters = exporters
    self.number = number
    self.loop = loop
    stage = AggregatorStage(shared)
    batcher = TenantBatcher(shared.batchLimits)
    if shared.journal != nil {
      account = JournalAccount(retention: UInt64(max(0, retention.nanosecondsClamped)))
    }
  }

  /// Gets to know the lanes of all loops.
  func connect(_ lanes: PerLoop<AggregatorLane>) {
    self.lanes = lanes
    guard shared.journal != nil else { return }
    for (index, exporter) in exporters.enumerated() {
      exporter.onSettled = { [weak self] settlement in self?.settled(settlement.batch.owners, by: index) }
    }
  }

  /// Begins to look after traces.
  func start() {
    let lane = NIOLoopBound(self, eventLoop: loop)
    ticker = loop.scheduleRepeatedTask(initialDelay: Self.tick, delay: Self.tick) { _ in lane.value.lookAfter() }
  }

  /// Stops to look after traces.
  func stop() {
    ticker?.cancel()
    ticker = nil
  }

  /// Whether traces are looked after.
  var isLookingAfter: Bool { ticker != nil }

  // MARK: Taking in

  var hasRoom: Bool { shared.hasRoom }

  func consume(_ request: IntakeRequest, completion: @escaping (IntakeVerdict) -> Void) {
    let batch = Self.identity(of: request)
    // First of all: a relay that lost the answer sends everything once more, and nothing is to be done for it.
    if let batch {
      switch shared.known.arrived(batch, waiter: answer(completion)) {
      case .new: break
      case .known: return completion(.accepted)
      case .pending: return
      }
    }
    guard request.isLarge else { return admit(stage.read(request), request, batch, completion) }
    let here = NIOLoopBound((lane: self, completion: afterItsRoom(completion)), eventLoop: loop)
    bulk.execute(on: number) { [loop, bulk, number] stage in
      var read = stage.read(request)
      if let taken = read.0 { read.0?.remains = Remains(taken, on: number, of: bulk) }
      loop.execute { [read] in here.value.lane.admit(read, request, batch, here.value.completion) }
    }
  }

  /// What a relay calls the request, in the name of its region.
  private static func identity(of request: IntakeRequest) -> BatchIdentity? {
    var batch = request.batch
    batch?.origin.region = request.peer.region
    return batch
  }

  /// Takes in a request that was read, unless there is no room.
  private func admit(
    _ outcome: (AggregatorStage.Read?, IntakeVerdict), _ request: IntakeRequest, _ batch: BatchIdentity?,
    _ completion: @escaping (IntakeVerdict) -> Void
  ) {
    let conclude = { [shared] (verdict: IntakeVerdict) in
      if let batch { shared.known.concluded(batch, verdict) }
      completion(verdict)
    }
    guard let read = outcome.0 else { return conclude(outcome.1) }
    let reading = request.census?.readingBytes ?? read.request.facts.byteCount
    guard let charge = RequestCharge(read.request.bytes.count + reading, to: shared.budget) else {
      return conclude(.overload(retryAfter: shared.retryAfter))
    }
    read.remains?.hold(charge)
    let spans = read.request.facts.spans.count
    if let refusal = request.tenant?.take(spans: spans, bytes: request.body.count) {
      shared.ledger.received(spans, by: request.receiver)
      shared.ledger.left(spans, as: .rejected)
      return conclude(.limited(retryAfter: refusal.retryAfter))
    }
    let taken = TakenRequest(
      request: read.request, lists: read.lists, receiver: request.receiver, batch: batch, charge: charge,
      remains: read.remains)
    if let journal = shared.journal { return write(taken, read.packed, to: journal, answer(completion)) }
    taken.book(in: shared.ledger)
    if spans > Self.spansAtOnce {
      return handInTurn(taken) { conclude(taken.verdict) }
    }
    hand(taken, entry: nil)
    conclude(taken.verdict)
  }

  /// Tells the sender of a large request that it was refused when the request's room has been given back: with the
  /// answer its charge ends, and somebody else gets as much. The first step lets go of the request here, the second
  /// comes behind what `Remains` does.
  private func afterItsRoom(_ completion: @escaping (IntakeVerdict) -> Void) -> (IntakeVerdict) -> Void {
    let answer = answer(completion)
    return { [loop, bulk, number] verdict in
      if case .accepted = verdict { return completion(verdict) }
      loop.execute { bulk.execute(on: number) { _ in answer(verdict) } }
    }
  }

  /// The completion, from any thread.
  private func answer(_ completion: @escaping (IntakeVerdict) -> Void) -> KnownBatches.Waiter {
    let bound = NIOLoopBound(completion, eventLoop: loop)
    return { [loop] verdict in loop.execute { bound.value(verdict) } }
  }

  /// Sends a request through the journal to the shards.
  private func write(
    _ taken: TakenRequest, _ packed: [UInt8], to journal: AggregatorJournal, _ answer: @escaping KnownBatches.Waiter
  ) {
    let batch = JournalledBatch(
      peerRegion: taken.request.peerRegion, identity: taken.batch, acceptedAt: WallClock.milliseconds,
      tenant: shared.tenants.name(of: taken.request.tenant))
    let shards = taken.lists.count { !$0.isEmpty }
    let refusal = IntakeVerdict.overload(retryAfter: shared.retryAfter)
    journal.write(batch, payload: packed, shards: shards) { [shared, lanes] result in
      var verdict = refusal
      if case .success(let address) = result {
        verdict = taken.verdict
        taken.book(in: shared.ledger)
        lanes?.hand(taken, entry: address)
      }
      if let batch = taken.batch { shared.known.concluded(batch, verdict) }
      answer(verdict)
    }
  }

  /// Hands every shard its spans; this one at once.
  private func hand(_ taken: TakenRequest, entry: UInt64?) {
    lanes?.hand(taken, entry: entry, except: number)
    if !taken.lists[number].isEmpty { ingest(taken, taken.lists[number], entry: entry) }
  }

  /// Hands every shard its spans in portions, between which it does other things, and goes on when all are through.
  private func handInTurn(_ taken: TakenRequest, then: @escaping () -> Void) {
    let then = NIOLoopBound(then, eventLoop: loop)
    let countdown = Countdown(taken.lists.count) { [loop] in loop.execute { then.value() } }
    for number in taken.lists.indices {
      lanes?.execute(on: number) { lane in
        lane.turns.add { lane.ingestInTurn(taken, taken.lists[number][...], countdown) }
      }
    }
  }

  private func ingestInTurn(_ taken: TakenRequest, _ spans: ArraySlice<UInt32>, _ countdown: Countdown) {
    if !spans.isEmpty { ingest(taken, Array(spans.prefix(Self.spansInTurn)), entry: nil) }
    let rest = spans.dropFirst(Self.spansInTurn)
    guard !rest.isEmpty else { return countdown.count() }
    turns.add { self.ingestInTurn(taken, rest, countdown) }
  }

  /// Takes this shard's spans out of a request.
  func ingest(_ taken: TakenRequest, _ spans: [UInt32], entry: UInt64?) {
    let request = taken.request
    let now = NIODeadline.now().uptimeNanoseconds
    let report = shard.ingest(request, spans: spans, now: now, lease: taken.charge)
    leave(report.duplicates, as: .duplicate)
    leave(report.overBudget, as: .overBudget)
    var token: UInt64?
    if let entry { token = note(report, of: entry, TraceRuns(spans, of: request).ids, now: now) }
    if report.late > 0 {
      handOn(report.latePayload, spans: report.late, of: request.tenant, tokens: token.map { [$0] } ?? [], now: now)
    }
    handOn(report.closed, now: now)
    chargeHeldBytes()
    dispatchSealed()
    askForClosings()
  }

  /// Notes what this shard needs an entry for; the token of its late spans.
  private func note(_ report: IngestReport, of entry: UInt64, _ traces: [TraceID], now: UInt64) -> UInt64? {
    guard let journal = shared.journal else { return nil }
    var token: UInt64?
    let late = traces.filter { !shard.isLive($0) }
    if report.late > 0 { token = account?.late(late, of: entry, exporters: journal.allExporters, now: now) }
    account?.took(entry, live: traces.filter { shard.isLive($0) })
    let closed = late.filter { shard.isClosed($0, now: now) }
    if !closed.isEmpty { journal.write(late: closed, of: entry, isNew: report.late > 0) }
    return token
  }

  /// Charges the budget with what the shard has allocated now.
  func chargeHeldBytes() {
    let bytes = shard.memoryBytes
    shared.budget.recharge(from: chargedBytes, to: bytes)
    chargedBytes = bytes
  }

  func leave(_ count: Int, as outcome: Outcome) {
    guard count > 0 else { return }
    shared.ledger.held(-count, in: .stitching)
    shared.ledger.left(count, as: outcome)
  }

  /// Puts other limits of this loop's shard and other processors in force.
  func adopt(_ limits: StitchingLimits, _ rules: ProcessorRules) {
    shard.adopt(limits)
    stage.adopt(rules)
  }

  /// What this loop's processors did.
  func processorCounts() -> ProcessorCounts { stage.processorCounts }

  /// What this loop's shard counted.
  func flows() -> FlowSnapshot { shard.snapshot() }
}

extension PerLoop<AggregatorLane> {
  /// Hands the shards their spans of a request, in the order of the calls.
  fileprivate func hand(_ taken: TakenRequest, entry: UInt64?, except own: Int? = nil) {
    for (number, list) in taken.lists.enumerated() where number != own && !list.isEmpty {
      execute(on: number) { lane in
        lane.ingest(taken, list, entry: entry)
      }
    }
  }
}
