internal import Delivery
internal import Intake
internal import NIOCore
internal import Stitching
internal import Telemetry
internal import Tenancy
internal import TraceWire

/// What a lane does with the journal of an earlier life. Nothing is booked of spans that have left before: only what is
/// still held counts as received again.
extension AggregatorLane {
  /// Takes this shard's spans out of a batch, as when it came: so long ago.
  func replay(
    _ request: ReceivedRequest, _ spans: [UInt32], entry: UInt64, age nanoseconds: UInt64, _ left: JournalLeftovers
  ) {
    let now = NIODeadline.now().uptimeNanoseconds
    let then = now - min(now, nanoseconds)
    var live: [TraceID] = []
    let runs = TraceRuns(spans, of: request)
    for (id, run) in zip(runs.ids, runs.lists) {
      let unit = JournalUnit(trace: id, address: entry)
      if left.isLate(unit) { shard.rememberClosed(id, now: then) }
      let report = shard.ingest(request, spans: Array(run), now: then)
      if report.late > 0 {
        let pending = left.pending(unit, of: shared.journal?.exporters ?? [])
        let token = account?.late([id], of: entry, exporters: pending, now: now)
        handOnAgain(report.latePayload, spans: report.late, of: request.tenant, token, pending)
      }
      if shard.isLive(id) {
        live.append(id)
      } else if shard.isClosed(id, now: then) {
        left.note(late: unit, isNew: report.late > 0)
      }
    }
    account?.took(entry, live: live)
    chargeHeldBytes()
    // What the shard asks for now was answered in the journal, or comes up again.
    shard.keepOpen(shard.takeQuestions(), now: then)
  }

  /// Closes traces that had closed.
  func replay(closing ids: [TraceID], at address: UInt64, exporters names: [String], _ left: JournalLeftovers) {
    let now = NIODeadline.now().uptimeNanoseconds
    // One by one: what is still to be exported of each may differ.
    for id in ids {
      // It closed at a time that the batches around it tell.
      guard let part = shard.close([id], now: 0).parts.first else { continue }
      let unit = JournalUnit(trace: id, address: address)
      let pending = left.pending(unit, of: names)
      let token = account?.closed(unit, exporters: pending, now: now)
      handOnAgain(part.payload, spans: part.spanCount, of: part.tenant, token, pending)
    }
    chargeHeldBytes()
  }

  /// Hands on what exporters were not done with.
  private func handOnAgain(
    _ payload: [UInt8], spans: Int, of tenant: UInt16, _ token: UInt64?, _ pending: UInt64
  ) {
    guard pending != 0 else { return }
    shared.ledger.received(spans, by: .otlpGRPC)
    shared.ledger.held(spans, in: .queue)
    shared.budget.reserveUnchecked(payload.count)
    let batch = Batch(
      payload: payload, spanCount: spans, tenant: shared.tenants.name(of: tenant), owners: token.map { [$0] } ?? [])
    dispatch(batch, among: exporters.indices.filter { pending & (1 << UInt64($0)) != 0 })
  }

  /// Books what is open after the replay: this process has it, and never heard of it before. Nobody could send more of
  /// it while there was no process, so its idle time begins anew; its age goes on.
  func bookRecovered() -> (traces: Int, spans: Int) {
    shard.wake(now: NIODeadline.now().uptimeNanoseconds)
    shared.ledger.received(shard.heldSpans, by: .otlpGRPC)
    shared.ledger.held(shard.heldSpans, in: .stitching)
    return (shard.liveTraces, shard.heldSpans)
  }

  /// Begins to count at zero: a checkpoint knows what was counted so far.
  func forgetCounts() { shard.forgetCounts() }
}
