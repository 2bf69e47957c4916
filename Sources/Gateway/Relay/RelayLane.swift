internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import Intake
internal import NIOCore
internal import Policy
internal import Telemetry
internal import TraceWire

/// What one event loop of a relay does with a request: the walk, the decision, the copy into the batch being built.
/// Everything here lives on one loop; only the ledger, the budget and the trace memory are shared.
final class RelayLane: SpanConsumer {
  private let loop: any EventLoop
  private let shared: RelayShared
  private let exporter: ExporterLane
  private var engine: PolicyEngine
  private var batcher: Batcher
  private var facts = RequestFacts()
  private var plan = RewritePlan()
  private var sealed: [Batch] = []
  private var timer: Scheduled<Void>?
  private let compressor = Compressor(.zstd)
  /// The batches on disk; nil where the queue is in memory.
  private let backlog: DiskBacklog?
  private var owners = WaitingRequests()

  init(_ shared: RelayShared, exporter: ExporterLane, loop: any EventLoop) {
    self.shared = shared
    self.exporter = exporter
    self.loop = loop
    engine = PolicyEngine(shared.policy, memory: shared.memory)
    batcher = Batcher(shared.store == nil ? shared.batchLimits : shared.batchLimits.whereClientsWait)
    backlog = shared.store.map {
      DiskBacklog($0, exporter: exporter, ledger: shared.ledger, budget: shared.budget, loop: loop)
    }
  }

  /// Begins with this loop's part of what an earlier life left on disk.
  func start(_ left: [StoredBatch]) { backlog?.start(left) }

  var hasRoom: Bool { !shared.budget.isOverSoftLimit && !isQueueFull && !shared.draining.isSet }

  private var isQueueFull: Bool { shared.store?.isFull ?? exporter.isFull }

  func consume(_ request: IntakeRequest, completion: @escaping (IntakeVerdict) -> Void) {
    // Only a queue on disk is waited for, and only by what had a span to keep.
    let owner = backlog == nil ? nil : owners.open(request.receiver)
    let verdict = take(request, owner)
    dispatchSealed()
    if let owner, owners.close(owner, verdict, completion) { return }
    completion(verdict)
  }

  private func take(_ request: IntakeRequest, _ owner: UInt64?) -> IntakeVerdict {
    guard backlog != nil || exporter.canAccept(request.body.count) else {
      return .overload(retryAfter: shared.retryAfter)
    }
    let bytes = request.body.span.bytes
    defer {
      facts.giveBackRoom()
      plan.giveBackRoom()
    }
    do {
      try facts.walk(bytes, keys: engine.attributeKeys, census: request.census)
    } catch {
      return .malformed(error)
    }
    let now = NIODeadline.now().uptimeNanoseconds
    shared.ledger.received(facts.spans.count, by: request.receiver)
    let tally = engine.decide(facts, in: bytes, now: now, plan: &plan)
    shared.ledger.left(tally.sampledOut, as: .sampledOut)
    shared.ledger.left(tally.rejected, as: .rejected)
    if tally.kept > 0 { place(request.body, owner, now: now) }
    if let skew = tally.skewWarning { shared.report(skew) }
    guard tally.rejected > 0 else { return .accepted }
    return .accepted(
      rejectedSpans: tally.rejected, message: "\(tally.rejected) spans with a trace ID or span ID that is not valid")
  }

  /// Copies the kept spans of the walked request into the batch being built.
  private func place(_ body: [UInt8], _ owner: UInt64?, now: UInt64) {
    let appended = batcher.append(
      0..<facts.spans.count, requestBytes: body.count, owner: owner, now: now, sealed: &sealed
    ) { range, limit, buffer in
      BatchWriter.append(range, limit: limit, of: facts, in: body.span.bytes, plan: plan, to: &buffer)
    }
    shared.budget.reserveUnchecked(appended.bytes)
    shared.ledger.held(appended.spans, in: .batch)
    if let owner {
      // A request's number is the last of a batch's when its spans are placed.
      let batches = sealed.reduce(batcher.isOpen(for: owner) ? 1 : 0) { $0 + ($1.owners.last == owner ? 1 : 0) }
      owners.wait(owner, batches: batches)
    }
    scheduleFlush(now: now)
  }

  private func dispatchSealed() {
    for batch in sealed {
      let packed = pack(batch)
      guard let backlog else {
        shared.ledger.moved(packed.spanCount, from: .batch, to: .queue)
        exporter.enqueue(packed)
        continue
      }
      backlog.write(packed, owners.receiver(of: packed.owners)) { [weak self] isWritten in
        guard let self else { return }
        let refusal: IntakeVerdict? = isWritten ? nil : .overload(retryAfter: shared.retryAfter)
        for answer in owners.settle(packed.owners, refusal) { answer() }
      }
    }
    sealed.removeAll(keepingCapacity: true)
  }

  /// The batch as it waits, and the memory that this gives back.
  private func pack(_ batch: Batch) -> Batch {
    var packed = batch
    if backlog == nil { packed.identity = shared.nextIdentity() }
    guard backlog != nil || exporter.wantsCompressed else { return packed }
    packed = packed.packed(compressor)
    let change = packed.byteCount - batch.byteCount
    if change > 0 { shared.budget.reserveUnchecked(change) } else { shared.budget.release(-change) }
    return packed
  }

  private func scheduleFlush(now: UInt64) {
    guard timer == nil, let deadline = batcher.nextDeadline else { return }
    timer = loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(max(deadline, now))) { [weak self] in
      guard let self else { return }
      timer = nil
      let now = NIODeadline.now().uptimeNanoseconds
      if batcher.isDue(now) { flush() }
      scheduleFlush(now: now)
    }
  }

  /// Sends the batch being built on its way, whatever its size.
  func flush() {
    if let batch = batcher.seal() { sealed.append(batch) }
    dispatchSealed()
  }

  /// Puts another policy in force from the next request on; counters and remembered routes go on.
  func adopt(_ policy: RelayPolicy, _ limits: BatchLimits) {
    engine = PolicyEngine(policy, memory: shared.memory, counts: engine.counts)
    batcher.limits = shared.store == nil ? limits : limits.whereClientsWait
  }

  /// What this loop's policy counted.
  func policyCounts() -> PolicyCounts { engine.counts }
}
