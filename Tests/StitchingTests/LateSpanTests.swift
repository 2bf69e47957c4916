import Stitching
import TestKit
import Testing
import TraceWire

/// What comes after a trace was closed.
@Suite struct LateSpanTests {
  let client = TestSpan(id: 1, region: "us", service: "a", kind: .client)
  let server = TestSpan(id: 2, parent: 1, region: "eu", service: "b", kind: .server)

  func flow(_ shard: StitchingShard, _ metric: String = "region_flow_requests_total") -> Double {
    series(shard.snapshot())["\(metric){source_region=us,target_region=eu}"] ?? 0
  }

  @Test(arguments: [true, false]) func theOtherEndCounts(clientFirst: Bool) {
    let shard = shard()
    let (first, late) = clientFirst ? (client, server) : (server, client)
    shard.ingest([first])
    let closed = shard.settle(at: 10 * second)
    #expect(closed.count == 1 && closed[0].isComplete == clientFirst)
    let report = shard.ingest([late], at: 11 * second)
    #expect(report.late == 1 && report.accepted == 0 && !report.latePayload.isEmpty && report.heldBytesChange == 0)
    #expect(flow(shard) == 1 && flow(shard, "trace_count") == 1)
    #expect(shard.ingest([late], at: 12 * second).duplicates == 1)
    #expect(shard.ingest([first], at: 12 * second).duplicates == 1)
    #expect(flow(shard) == 1)
    #expect(shard.liveTraces == 0)
    #expect(series(shard.snapshot())["stitching_late_spans_total{region=\(late.region ?? "")}"] == 1)
  }

  @Test(arguments: [(69, 1), (70, 0)]) func untilTheLinkIsForgotten(at: UInt64, counted: Double) {
    let shard = shard()
    shard.ingest([client])
    #expect(shard.advance(to: 10 * second).traces.count == 1)
    #expect(shard.ingest([server], at: at * second).late == 1)
    #expect(flow(shard) == counted)
  }

  @Test(arguments: [(69, 1), (70, 0)]) func untilTheWaitingChildIsForgotten(at: UInt64, counted: Double) {
    let shard = shard()
    shard.ingest([server])
    #expect(shard.advance(to: 10 * second).traces.count == 1)
    #expect(shard.ingest([client], at: at * second).late == 1)
    #expect(flow(shard) == counted)
  }

  @Test func aTraceCountsAPairOnce() {
    let shard = shard()
    shard.ingest([client, server])
    _ = shard.settle(at: 10 * second)
    for id in 3...5 as ClosedRange<UInt64> {
      var another = server
      another.id = id
      shard.ingest([another], at: 11 * second)
    }
    #expect(flow(shard) == 4 && flow(shard, "trace_count") == 1)
  }

  @Test func twoLateEndsMeet() {
    let shard = shard()
    shard.ingest([TestSpan(id: 9)])
    _ = shard.settle(at: 10 * second)
    var second = server
    second.id = 3
    shard.ingest([server, second, client], at: 11_000_000_000)
    #expect(flow(shard) == 2 && flow(shard, "trace_count") == 1)
  }

  @Test func manyChildrenWaitForOneParent() {
    let shard = shard()
    shard.ingest((2...101).map { TestSpan(id: $0, parent: 1, region: "eu", kind: .server) })
    _ = shard.settle(at: 10 * second)
    #expect(shard.snapshot().halfLinks == 100)
    shard.ingest([client], at: 11 * second)
    #expect(flow(shard) == 100)
    #expect(shard.snapshot().halfLinks == 1)
    _ = shard.settle(at: 72 * second)
    #expect(shard.snapshot().halfLinks == 0)
  }

  @Test func aTraceIsForgottenAfterItsTime() {
    let shard = shard()
    shard.ingest([client])
    _ = shard.settle(at: 10 * second)
    #expect(shard.ingest([TestSpan(id: 7)], at: 309 * second).late == 1)
    #expect(shard.ingest([TestSpan(id: 8)], at: 310 * second).accepted == 1)
    // The old record is still there when the trace closes again.
    #expect(shard.closeAll(now: 311 * second).traces.count == 1)
    #expect(shard.ingest([TestSpan(id: 8)], at: 312 * second).duplicates == 1)
    _ = shard.settle(at: 2000 * second)
    let all = series(shard.snapshot())
    #expect(all["stitching_closed_traces{}"] == 0)
    #expect(shard.nextDeadline == nil)
  }

  @Test func activityKeepsATraceOpenUntilItsAge() {
    var limits = StitchingLimits()
    limits.maxTraceAge = .seconds(30)
    let shard = shard(limits)
    for step in 0..<4 as Range<UInt64> {
      #expect(shard.ingest([TestSpan(id: step + 1)], at: step * 9 * second).accepted == 1)
      #expect(shard.settle(at: step * 9 * second).isEmpty)
    }
    #expect(shard.settle(at: 29_900_000_000).isEmpty)
    #expect(shard.settle(at: 30 * second).map(\.spanCount) == [4])
  }

  @Test func duplicatesDoNotKeepATraceOpen() {
    let shard = shard()
    shard.ingest([client])
    shard.ingest([client], at: 9 * second)
    #expect(shard.settle(at: 10 * second).count == 1)
  }

  @Test func largeTracesKnowTheirSpans() {
    let shard = shard()
    shard.ingest((1...500).map { TestSpan(id: $0 &* 0x9e37_79b9_7f4a_7c15) })
    _ = shard.settle(at: 10 * second)
    let again = shard.ingest((1...500).map { TestSpan(id: $0 &* 0x9e37_79b9_7f4a_7c15) }, at: 11 * second)
    #expect(again.duplicates == 500)
    #expect(shard.ingest((1...500).map { TestSpan(id: $0) }, at: 11 * second).late == 500)
  }
}
