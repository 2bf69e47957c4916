internal import Compression
internal import Delivery
internal import Intake
internal import NIOCore
internal import Policy
internal import Telemetry
internal import Tenancy
internal import TraceWire

/// What a relay does with a request before anything is queued: the walk, the decision, the copy into batches. Everything
/// here lives on one thread; only the ledger, the budget and the trace memory are shared.
final class RelayStage {
  /// What became of a request.
  struct Taken: Sendable {
    var verdict: IntakeVerdict
    /// Batches that are full now; they may hold spans of earlier requests too.
    var sealed: [Batch] = []
    /// How many batches, the open one with them, hold spans of the request; counted only where it has an owner.
    var batches = 0
  }

  private let shared: RelayShared
  private var engine: PolicyEngine
  private var batcher: TenantBatcher
  /// Nil where no processor does anything.
  private var processor: RequestProcessor?
  private var routes: [Int] = []
  /// What the processors of earlier configurations did.
  private var processed = ProcessorCounts()
  private var facts = RequestFacts()
  private var plan = RewritePlan()
  /// For what is sent as it is compressed here.
  private let compressor = Compressor(.zstd)
  /// For what only waits: a third less time for a third more bytes.
  private let quickCompressor = Compressor(.zstd, level: -3)

  init(_ shared: RelayShared) {
    self.shared = shared
    engine = PolicyEngine(shared.policy, memory: shared.memory)
    batcher = TenantBatcher(shared.batching(shared.batchLimits))
    processor = RequestProcessor(shared.policy)
  }

  /// Takes in a request; `owner` is known by the batches.
  func take(_ request: IntakeRequest, owner: UInt64?) -> Taken {
    var body = request.body
    defer {
      facts.giveBackRoom()
      plan.giveBackRoom()
    }
    facts.isLong = request.isLarge
    do {
      try facts.walk(body.span.bytes, keys: engine.attributeKeys, census: request.census)
      if processor != nil, facts.isInPieces {
        body = try RequestJoiner.joined(body.span.bytes)
        try facts.walk(body.span.bytes, keys: engine.attributeKeys)
      }
    } catch {
      return Taken(verdict: .malformed(error))
    }
    let now = NIODeadline.now().uptimeNanoseconds
    shared.ledger.received(facts.spans.count, by: request.receiver)
    if let tenant = request.tenant {
      if let refusal = tenant.take(spans: facts.spans.count, bytes: request.body.count) {
        shared.ledger.left(facts.spans.count, as: .rejected)
        return Taken(verdict: .limited(retryAfter: refusal.retryAfter))
      }
      facts.setApart(by: tenant.mask)
    }
    var tally = engine.decide(facts, in: body.span.bytes, now: now, plan: &plan)
    if processor != nil { process(body, &tally) }
    shared.ledger.left(tally.sampledOut, as: .sampledOut)
    shared.ledger.left(tally.rejected, as: .rejected)
    var taken = Taken(verdict: .accepted)
    if tally.rejected > 0 {
      taken.verdict = .accepted(
        rejectedSpans: tally.rejected, message: "\(tally.rejected) spans with a trace ID or span ID that is not valid")
    }
    if tally.kept > 0 { place(body, request.tenant?.name, owner, now: now, &taken) }
    if let skew = tally.skewWarning { shared.report(skew) }
    return taken
  }

  /// Runs the processors over what is kept.
  private func process(_ body: [UInt8], _ tally: inout PolicyTally) {
    let bytes = body.span.bytes
    if engine.hasRouteRedaction { engine.findRoutes(of: facts, into: &routes) }
    let unreadable = processor?.process(facts, in: bytes, routes: routes, plan: &plan) ?? 0
    tally.kept -= unreadable
    tally.rejected += unreadable
  }

  /// Copies the kept spans of the walked request into the batch being built.
  private func place(_ body: [UInt8], _ tenant: String?, _ owner: UInt64?, now: UInt64, _ taken: inout Taken) {
    let appended = batcher.append(
      0..<facts.spans.count, requestBytes: body.count, tenant: tenant, owner: owner, now: now, sealed: &taken.sealed
    ) { range, limit, buffer in
      if facts.isLong { LongWork.pause() }
      return BatchWriter.append(range, limit: limit, of: facts, in: body.span.bytes, plan: plan, to: &buffer)
    }
    shared.budget.reserveUnchecked(appended.bytes)
    shared.ledger.held(appended.spans, in: .batch)
    guard let owner else { return }
    // A request's number is the last of a batch's when its spans are placed.
    taken.batches = taken.sealed.reduce(batcher.isOpen(for: owner, tenant: tenant) ? 1 : 0) {
      $0 + ($1.owners.last == owner ? 1 : 0)
    }
  }

  /// When the first open batch is due, or nil where all are empty.
  var nextDeadline: UInt64? { batcher.nextDeadline }

  /// The open batches whose time has come.
  func sealDue(_ now: UInt64) -> [Batch] { batcher.sealDue(now) }

  /// The open batches, whatever their size.
  func seal() -> [Batch] { batcher.seal() }

  /// The batch compressed, or with its compressed bytes beside it, and charged with what it holds then.
  func pack(_ batch: Batch, _ packing: Packing) -> Batch {
    let packed =
      switch packing {
      case .none: batch
      case .toSend: batch.packed(compressor)
      case .toWait: batch.packed(quickCompressor)
      case .toStore: batch.storing(quickCompressor)
      }
    shared.budget.recharge(from: batch.byteCount, to: packed.byteCount)
    return packed
  }

  /// What becomes of a batch before it waits.
  enum Packing: Sendable {
    /// Nothing.
    case none
    /// It is compressed, and sent so.
    case toSend
    /// It is compressed for the time it waits, and sent otherwise.
    case toWait
    /// Its compressed bytes go to the disk, and it is sent without.
    case toStore
  }

  /// Puts another policy in force from the next request on; counters and remembered routes go on.
  func adopt(_ policy: RelayPolicy, _ limits: BatchLimits) {
    engine = PolicyEngine(policy, memory: shared.memory, counts: engine.counts)
    processed = processorCounts
    processor = RequestProcessor(policy)
    routes = []
    batcher.limits = shared.batching(limits)
  }

  /// What the processors did here.
  var processorCounts: ProcessorCounts { processed + (processor?.total ?? ProcessorCounts()) }

  /// What the policy counted here.
  var policyCounts: PolicyCounts { engine.counts }
}
