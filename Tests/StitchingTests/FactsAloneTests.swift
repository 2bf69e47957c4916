import Stitching
import TestKit
import Testing
import TraceWire

/// A shard that keeps no bytes, beside one that does: both count the same of the same traffic, and what it saves is the
/// bytes.
@Suite struct FactsAloneTests {
  private func pair(_ limits: StitchingLimits) -> [StitchingShard] {
    [true, false].map { keepsBytes in
      StitchingShard(
        limits: limits, flow: FlowLimits(), names: FlowNames(limits: FlowLimits()), hash: KeyedHash(7, 8), now: 0,
        keepsBytes: keepsBytes)
    }
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>) func countTheSame(seed: UInt64) {
    var limits = StitchingLimits()
    limits.idleTimeout = .seconds(2)
    limits.maxLiveTraces = 15
    limits.maxSpansPerTrace = 30
    let shards = pair(limits)
    var traces = RandomTraces(seed: seed)
    let spans = (1...40).flatMap { traces.trace($0, spans: 1 + Int($0)) }
    var (now, lateBytes) = (0 as UInt64, 0)
    for step in 0..<400 {
      now &+= UInt64.random(in: 0...second / 4, using: &traces.random)
      let batch = (0..<9).compactMap { _ in spans.randomElement(using: &traces.random) }
      let reports = shards.map { $0.ingest(batch, at: now) }
      for (one, other) in [(reports[0], reports[1])] {
        #expect(one.accepted == other.accepted && one.duplicates == other.duplicates, "seed \(seed) step \(step)")
        #expect(one.late == other.late && one.overBudget == other.overBudget, "seed \(seed) step \(step)")
      }
      #expect(reports[1].latePayload.isEmpty)
      lateBytes += reports[0].latePayload.count
      let parts = zip(reports, shards).map { $0.closed.parts + $1.settled(at: now) }
      let closed = parts.map { $0.flatMap(\.traces) }
      #expect(closed[0].map(\.traceID) == closed[1].map(\.traceID), "seed \(seed) step \(step)")
      #expect(closed[0].map(\.spanCount) == closed[1].map(\.spanCount), "seed \(seed) step \(step)")
      #expect(parts[0].allSatisfy { !$0.payload.isEmpty } && parts[1].allSatisfy { $0.payload.isEmpty })
      #expect(shards[0].liveTraces == shards[1].liveTraces && shards[0].heldSpans == shards[1].heldSpans)
    }
    #expect(lateBytes > 0, "seed \(seed): nothing was late")
    for shard in shards {
      _ = shard.closeAll(now: now)
      #expect(shard.heldBytes == 0, "seed \(seed)")
    }
    let counts = shards.map { series($0.snapshot(), ignoring: ["stitching_memory_bytes"]) }
    #expect(differences(counts[0], counts[1]).isEmpty, "seed \(seed): \(differences(counts[0], counts[1]))")
  }

  @Test func longSpansTakeNoMoreThanShortOnes() {
    let long = pair(StitchingLimits())
    let short = pair(StitchingLimits())
    for number in 1...2000 as ClosedRange<UInt64> {
      for shard in long { shard.ingest([TestSpan(trace: number, size: 2000)], at: 1) }
      for shard in short { shard.ingest([TestSpan(trace: number)], at: 1) }
    }
    #expect(long[1].heldBytes == short[1].heldBytes)
    #expect(long[1].heldBytes < short[0].heldBytes)
  }
}
