import Stitching
import TestKit
import Testing
import TraceWire

/// All caps at once, very small, in a storm: nothing is lost from the account, nothing grows past its cap.
@Suite struct StormTests {
  @Test(arguments: 1...8 as ClosedRange<UInt64>) func accountsForEverySpan(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    func pick(_ choices: Int...) -> Int { choices.randomElement(using: &random) ?? 1 }
    var limits = StitchingLimits()
    limits.idleTimeout = .milliseconds(pick(0, 50, 1000, 200_000))
    limits.maxTraceAge = .milliseconds(pick(0, 300, 5000, 400_000))
    limits.maxLiveTraces = pick(0, 1, 7, 50)
    limits.maxSpansPerTrace = pick(0, 1, 3, 40)
    limits.memoryBytesMax = pick(1, 3000, 20_000, 1 << 30)
    limits.maxClosedTraces = pick(0, 1, 5, 1000)
    limits.closedBytesMax = pick(0, 100, 3000, 1 << 20)
    limits.maxLateSpans = pick(0, 1, 5, 1000)
    limits.closedPerAdvance = pick(0, 1, 3)
    limits.maxExpansion = pick(0, 1, 16)
    var flow = FlowLimits()
    flow.maxHalfLinks = pick(0, 1, 5, 1000)
    flow.linkTTL = .milliseconds(pick(0, 100, 60_000))
    flow.maxRegions = pick(0, 1, 2, 100)
    flow.maxServices = pick(0, 1, 2, 100)
    flow.maxPairs = pick(0, 1, 3)
    flow.maxEdges = pick(0, 1, 3)
    let shard = shard(limits, flow: flow, now: 5 * second)

    var traces = RandomTraces(seed: seed)
    let spans = (1...60).flatMap { traces.trace($0, spans: Int.random(in: 1...50, using: &random)) }
    var (now, given, totals, closedSpans, bytes) = (0 as UInt64, 0, IngestTotals(), 0, 0)
    func handOn(_ closing: Closing) {
      for trace in closing.traces {
        closedSpans += trace.spanCount
        bytes -= trace.heldBytes
      }
    }
    for step in 0..<1500 {
      now &+= UInt64.random(in: 0...(random.one(in: 60) ? 120 : 1) * second / 4, using: &random)
      let batch = (0..<Int.random(in: 1...12, using: &random)).compactMap { _ in spans.randomElement(using: &random) }
      given += batch.count
      let report = shard.ingest(batch, at: random.one(in: 20) ? now / 2 : now)
      totals.add(report)
      bytes += report.heldBytesChange
      closedSpans += report.closed.traces.reduce(0) { $0 + $1.spanCount }
      if random.one(in: 3) { handOn(shard.advance(to: now)) }
      if random.one(in: 90) { handOn(shard.closeOldest(untilHeldBytes: 2000, now: now)) }
      #expect(totals.accepted + totals.duplicates + totals.late + totals.overBudget == given, "seed \(seed) \(step)")
      #expect(totals.accepted == closedSpans + shard.heldSpans, "seed \(seed) \(step)")
      #expect(shard.heldBytes == bytes && bytes <= limits.memoryBytesMax, "seed \(seed) \(step)")
      #expect(shard.liveTraces <= max(1, limits.maxLiveTraces), "seed \(seed) \(step)")
    }
    #expect(shard.snapshot().halfLinks <= flow.maxHalfLinks, "seed \(seed)")
    #expect(series(shard.snapshot())["stitching_closed_traces{}"] ?? 0 <= Double(max(1, limits.maxClosedTraces)))
    handOn(shard.closeAll(now: now))
    #expect(totals.accepted == closedSpans && shard.heldBytes == 0 && bytes == 0, "seed \(seed)")
    while let next = shard.nextDeadline { _ = shard.advance(to: next) }
    #expect(shard.snapshot().halfLinks == 0, "seed \(seed)")
  }
}
