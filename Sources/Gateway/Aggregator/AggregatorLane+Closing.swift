internal import Delivery
internal import NIOCore
internal import Stitching
internal import Telemetry
internal import Tenancy
internal import TraceWire
internal import Transport

/// Closing and handing on.
extension AggregatorLane {
  /// Traces that one record of the journal closes.
  private static let closingsMax = 1024
  /// Traces that close before those before them are handed on, where it is not the shard that says how many.
  private static let closedAtOnce = 32

  /// Bytes that are compressed in one turn.
  private static let packedAtOnce = 128 << 10

  /// Closes the traces whose time has come, compresses spans that are to wait on, and sends batches that have waited
  /// long enough.
  func lookAfter() {
    let now = NIODeadline.now().uptimeNanoseconds
    if !isClosing { closeInTurn() }
    if !isPacking { packInTurn() }
    askForClosings()
    sealed += batcher.sealDue(now)
    dispatchSealed()
    releaseEntries(now)
  }

  /// Closes some of the traces whose time has come, and the others when connections had their turn.
  private func closeInTurn() {
    let now = NIODeadline.now().uptimeNanoseconds
    isClosing = isLookingAfter && shared.mayClose && (hasToClose || shard.nextDeadline.map { $0 <= now } ?? false)
    guard isClosing else { return }
    handOnClosed(
      hasToClose ? shard.closeAll(now: now, limit: Self.closedAtOnce) : shard.advance(to: now), now)
    askForClosings()
    turns.add { self.closeInTurn() }
  }

  /// Compresses some of what has waited for a while, and the rest when connections had their turn.
  private func packInTurn() {
    let now = NIODeadline.now().uptimeNanoseconds
    isPacking = isLookingAfter && shard.pack(byteCount: Self.packedAtOnce, evenDue: !shared.mayClose, now: now)
    chargeHeldBytes()
    if isPacking { turns.add { self.packInTurn() } }
  }

  /// Hands on traces that no journal knows of, as far as the exporters' queues.
  private func handOnClosed(_ closing: Closing, _ now: UInt64) {
    handOn(closing, now: now)
    chargeHeldBytes()
    dispatchSealed()
  }

  /// Has the journal note the closings that the shard asks for; they take effect when they come back.
  func askForClosings() {
    guard let journal = shared.journal else { return }
    let lane = NIOLoopBound(self, eventLoop: loop)
    var rest = shard.takeQuestions()[...]
    while !rest.isEmpty {
      let ids = Array(rest.prefix(Self.closingsMax))
      rest = rest.dropFirst(Self.closingsMax)
      journal.write(closing: ids) { [loop] result in
        loop.execute { lane.value.close(ids, at: try? result.get()) }
      }
    }
  }

  /// Closes traces whose record lies at this address; without one they stay open.
  private func close(_ ids: [TraceID], at address: UInt64?) {
    let now = NIODeadline.now().uptimeNanoseconds
    guard let journal = shared.journal, let address else {
      return shard.keepOpen(ids, now: now)
    }
    var rest = ids[...]
    while !rest.isEmpty {
      for part in shard.close(Array(rest.prefix(Self.closedAtOnce)), now: now).parts {
        let tokens = part.traces.compactMap { trace in
          let unit = JournalUnit(trace: trace.traceID, address: address)
          return account?.closed(unit, exporters: journal.allExporters, now: now)
        }
        handOn(part.payload, spans: part.spanCount, of: part.tenant, tokens: tokens, now: now)
      }
      rest = rest.dropFirst(Self.closedAtOnce)
      chargeHeldBytes()
      dispatchSealed()
    }
  }

  /// One exporter is done with what these tokens stand for.
  func settled(_ tokens: [UInt64], by exporter: Int) {
    let now = NIODeadline.now().uptimeNanoseconds
    guard let units = account?.settled(tokens, by: exporter, now: now) else { return }
    shared.journal?.write(settled: units, by: exporter)
  }

  /// Tells the journal which entries this shard needs no more.
  func releaseEntries(_ now: UInt64) {
    guard let entries = account?.takeFree(now) else { return }
    shared.journal?.release(entries)
  }

  /// Begins to close every trace, as fast as there is room for what they take then. With a journal nothing closes: what
  /// is open stays for the next life.
  func beginDrain() {
    isDraining = shared.journal == nil
    lookAfter()
  }

  /// Whether a drain has not closed all traces yet.
  var hasToClose: Bool { isDraining && shard.liveTraces > 0 }

  /// Ends the looking after and sends what is closed on its way. Traces for which there never was room are given up.
  /// - Returns: the number of their spans.
  func flush() -> Int {
    let now = NIODeadline.now().uptimeNanoseconds
    stop()
    var lost = 0
    while isDraining, shard.liveTraces > 0 {
      lost += shard.closeAll(now: now, limit: Self.closedAtOnce).parts.reduce(0) { $0 + $1.spanCount }
    }
    leave(lost, as: .undeliverable)
    sealed += batcher.seal()
    dispatchSealed()
    chargeHeldBytes()
    return lost
  }

  /// Hands on traces that no journal knows of.
  func handOn(_ closing: Closing, now: UInt64) {
    for part in closing.parts {
      handOn(part.payload, spans: part.spanCount, of: part.tenant, tokens: [], now: now)
    }
  }

  /// Hands spans on; without an exporter they are where they were to go.
  func handOn(_ payload: [UInt8], spans: Int, of tenant: UInt16, tokens: [UInt64], now: UInt64) {
    guard shared.fanOut != nil else { return leave(spans, as: .forwarded) }
    let appended = batcher.append(
      whole: payload, spans: spans, tenant: shared.tenants.name(of: tenant), owners: tokens, now: now, sealed: &sealed)
    shared.budget.reserveUnchecked(appended.bytes)
    shared.ledger.moved(spans, from: .stitching, to: .batch)
  }

  func dispatchSealed() {
    for batch in sealed {
      shared.ledger.moved(batch.spanCount, from: .batch, to: .queue)
      dispatch(batch, among: Array(exporters.indices))
    }
    sealed.removeAll(keepingCapacity: true)
  }

  /// Gives a batch to those of the exporters that have room; the others are done with it.
  func dispatch(_ batch: Batch, among chosen: [Int]) {
    guard let fanOut = shared.fanOut else { return }
    let handing = fanOut.hand(batch, among: chosen)
    for index in handing.takers { exporters[index].enqueue(handing.batch) }
    for index in chosen where !handing.takers.contains(index) { settled(batch.owners, by: index) }
  }
}
