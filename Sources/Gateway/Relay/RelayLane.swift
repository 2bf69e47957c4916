internal import Delivery
internal import Intake
internal import NIOCore
internal import Policy
internal import Telemetry
internal import TraceWire
internal import Transport

/// What one event loop of a relay does with requests: its stage makes batches of them, which go to its queue. Large
/// requests go through another stage, on a thread of its own.
final class RelayLane: SpanConsumer {
  private let number: Int
  private let loop: any EventLoop
  private let shared: RelayShared
  private let exporter: ExporterLane
  private let locals: LocalExports
  private let stage: RelayStage
  private let bulk: PerLoop<RelayStage>
  private let turns: Turns
  private var timer: Scheduled<Void>?
  /// The batches on disk; nil where the queue is in memory.
  private let backlog: DiskBacklog?
  private var owners = WaitingRequests()

  init(
    _ shared: RelayShared, exporter: ExporterLane, locals: LocalExports, bulk: PerLoop<RelayStage>, turns: Turns,
    number: Int, loop: any EventLoop
  ) {
    self.shared = shared
    self.exporter = exporter
    self.locals = locals
    self.bulk = bulk
    self.turns = turns
    self.number = number
    self.loop = loop
    stage = RelayStage(shared)
    backlog = shared.store.map {
      DiskBacklog($0, exporter: exporter, ledger: shared.ledger, budget: shared.budget, loop: loop)
    }
  }

  /// Begins with this loop's part of what an earlier life left on disk.
  func start(_ left: [StoredBatch]) { backlog?.start(left) }

  var hasRoom: Bool { !shared.budget.isOverSoftLimit && !isQueueFull && !shared.draining.isSet }

  private var isQueueFull: Bool { shared.store?.isFull ?? exporter.isFull }

  func consume(_ request: IntakeRequest, completion: @escaping (IntakeVerdict) -> Void) {
    guard backlog != nil || exporter.canAccept(request.body.count) else {
      return completion(.overload(retryAfter: shared.retryAfter))
    }
    // Only a queue on disk is waited for, and only by what had a span to keep.
    let owner = backlog == nil ? nil : owners.open(request.receiver)
    guard !request.isLarge else { return consumeLarge(request, owner, completion) }
    let taken = stage.take(request, owner: owner)
    if let owner { owners.wait(owner, batches: taken.batches) }
    for batch in taken.sealed { dispatch(pack(batch)) }
    scheduleFlush()
    conclude(taken, owner, completion)
  }

  /// Takes in a request on the other thread, where its batches are compressed too. Room for a second copy of it is
  /// charged before: what the batches take is known afterwards only, and must not be refused then.
  private func consumeLarge(
    _ request: IntakeRequest, _ owner: UInt64?, _ completion: @escaping (IntakeVerdict) -> Void
  ) {
    let room = request.body.count
    guard shared.beginCopy(room) else {
      return conclude(RelayStage.Taken(verdict: .overload(retryAfter: shared.retryAfter)), owner, completion)
    }
    let here = NIOLoopBound((lane: self, completion: completion), eventLoop: loop)
    let packing = packing(nil)
    let handover = Handover(request)
    bulk.execute(on: number) { [loop, shared] stage in
      guard var request = handover.take() else { return }
      var taken = stage.take(request, owner: owner)
      request.body.giveBack()
      taken.sealed += stage.seal()
      taken.sealed = taken.sealed.map { stage.pack($0, packing) }
      shared.endCopy(room)
      loop.execute { [taken] in
        let (lane, completion) = here.value
        if let owner { lane.owners.wait(owner, batches: taken.batches) }
        lane.dispatchInTurn(taken.sealed[...]) { lane.conclude(taken, owner, completion) }
      }
    }
  }

  private func conclude(_ taken: RelayStage.Taken, _ owner: UInt64?, _ completion: @escaping (IntakeVerdict) -> Void) {
    if let owner, owners.close(owner, taken.verdict, completion) { return }
    completion(taken.verdict)
  }

  /// What becomes of a batch before it waits: what is sent compressed is so from the beginning, and serves the disk too.
  /// Nil stands for those of a large request, which are many and wait for each other.
  private func packing(_ batch: Batch?) -> RelayStage.Packing {
    if exporter.sendsZstd { return .toSend }
    if let backlog { return batch.map(backlog.keepsPayload) == true ? .toStore : .toWait }
    return exporter.isLong ? .toWait : .none
  }

  private func pack(_ batch: Batch) -> Batch { stage.pack(batch, packing(batch)) }

  /// Queues batches one after the other, so that sending them does not hold up others' requests, and then goes on.
  private func dispatchInTurn(_ batches: ArraySlice<Batch>, then: @escaping () -> Void) {
    if let first = batches.first { dispatch(first) }
    let rest = batches.dropFirst()
    guard !rest.isEmpty else { return then() }
    turns.add { self.dispatchInTurn(rest, then: then) }
  }

  private func dispatch(_ batch: Batch) {
    guard let backlog else {
      var named = batch
      named.identity = shared.nextIdentity()
      shared.ledger.moved(named.spanCount, from: .batch, to: .queue)
      locals.hand(batch)
      return exporter.enqueue(named)
    }
    backlog.write(batch, owners.receiver(of: batch.owners)) { [weak self] isWritten in
      guard let self else { return }
      if isWritten { locals.hand(batch) }
      let refusal: IntakeVerdict? = isWritten ? nil : .overload(retryAfter: shared.retryAfter)
      for answer in owners.settle(batch.owners, refusal) { answer() }
    }
  }

  private func scheduleFlush() {
    guard timer == nil, let deadline = stage.nextDeadline else { return }
    let now = NIODeadline.now().uptimeNanoseconds
    timer = loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(max(deadline, now))) { [weak self] in
      guard let self else { return }
      timer = nil
      for batch in stage.sealDue(NIODeadline.now().uptimeNanoseconds) { dispatch(pack(batch)) }
      scheduleFlush()
    }
  }

  /// Sends the batches being built on their way, whatever their size.
  func flush() {
    for batch in stage.seal() { dispatch(pack(batch)) }
  }

  /// Removes from the disk what has been delivered, at the end.
  func removeSettled() { backlog?.removeSettled() }

  /// Puts another policy in force from the next request on.
  func adopt(_ policy: RelayPolicy, _ limits: BatchLimits) { stage.adopt(policy, limits) }

  /// What this loop's processors did.
  func processorCounts() -> ProcessorCounts { stage.processorCounts }

  /// What this loop's policy counted.
  func policyCounts() -> PolicyCounts { stage.policyCounts }
}
