import Stitching
import TestKit
import Testing
import TraceWire

/// Each cap, crossed by one.
@Suite struct CapTests {
  @Test func oneTraceTooMany() {
    var limits = StitchingLimits()
    limits.maxLiveTraces = 2
    let shard = shard(limits)
    shard.ingest([TestSpan(trace: 1, id: 1), TestSpan(trace: 2, id: 1)], at: 1)
    shard.ingest([TestSpan(trace: 1, id: 2)], at: 2)
    #expect(shard.liveTraces == 2)
    let report = shard.ingest([TestSpan(trace: 3, id: 1)], at: 3)
    #expect(report.closed.traces.map(\.traceID) == [TestSpan(trace: 2).traceID], "the one that was idle for longest")
    #expect(report.closed.traces.map(\.spanCount) == [1])
    #expect(shard.liveTraces == 2)
    #expect(series(shard.snapshot())["stitching_early_closed_traces_total{reason=max_live_traces}"] == 1)
  }

  @Test func oneSpanTooMany() {
    var limits = StitchingLimits()
    limits.maxSpansPerTrace = 40
    let shard = shard(limits)
    let spans = (1...41).map { TestSpan(id: $0) }
    let report = shard.ingest(spans + [TestSpan(id: 1)])
    #expect((report.accepted, report.overBudget, report.duplicates) == (40, 1, 1))
    #expect(series(shard.snapshot())["stitching_over_budget_spans_total{}"] == 1)
    #expect(shard.closeAll(now: 1).traces.map(\.spanCount) == [40])
  }

  @Test func oneByteTooMuch() {
    let probe = shard()
    let one = probe.ingest([TestSpan(trace: 1)], isKept: false).heldBytesChange
    var limits = StitchingLimits()
    limits.memoryBytesMax = one * 2
    let full = shard(limits)
    #expect(full.ingest([TestSpan(trace: 1), TestSpan(trace: 2)], isKept: false).closed.isEmpty)
    #expect(full.heldBytes == one * 2)
    let report = full.ingest([TestSpan(trace: 3)], at: 1, isKept: false)
    #expect(report.closed.traces.map(\.traceID) == [TestSpan(trace: 1).traceID])
    #expect(report.heldBytesChange == 0)
    #expect(series(full.snapshot())["stitching_early_closed_traces_total{reason=memory}"] == 1)
    #expect(full.closeOldest(untilHeldBytes: one, now: 1).traces.map(\.traceID) == [TestSpan(trace: 2).traceID])
    #expect(full.closeOldest(untilHeldBytes: one, now: 1).isEmpty)
    #expect(full.heldBytes == one)
  }

  @Test func oneRegionAndOneServiceTooMany() {
    var flow = FlowLimits()
    flow.maxRegions = 3
    flow.maxServices = 3
    let shard = shard(flow: flow)
    for number in 1...5 as ClosedRange<UInt64> {
      shard.ingest([
        TestSpan(trace: number, id: 1, region: "r1", service: "s1", kind: .client),
        TestSpan(trace: number, id: 2, parent: 1, region: "r\(number)", service: "s\(number)", kind: .server),
      ])
    }
    // Both are past the cap, and still two regions.
    shard.ingest([
      TestSpan(trace: 9, id: 1, region: "r8"), TestSpan(trace: 9, id: 2, parent: 1, region: "r9"),
      TestSpan(trace: 9, id: 3, parent: 2, region: "r9"),
    ])
    let closed = shard.closeAll(now: 1).traces
    #expect(closed.count { $0.isCrossRegion } == 5)
    let all = series(shard.snapshot())
    func flows(_ source: String, _ target: String) -> Double? {
      all["region_flow_requests_total{source_region=\(source),target_region=\(target)}"]
    }
    #expect(flows("r1", "r3") == 1)
    #expect(flows("r1", "r4") == nil && flows("r1", "__overflow__") == 2)
    #expect(flows("__overflow__", "__overflow__") == 1)
    #expect(all.keys.contains { $0.contains("server=s3") } && !all.keys.contains { $0.contains("server=s4") })
    #expect(all["stitching_label_overflow_total{label=region}"] ?? 0 >= 4)
  }

  @Test func capsHoldAcrossShards() {
    var flow = FlowLimits()
    flow.maxRegions = 4
    let names = FlowNames(limits: flow)
    let shards = [shard(flow: flow, names: names), shard(flow: flow, names: names)]
    for number in 0..<12 as Range<UInt64> {
      shards[Int(number % 2)].ingest([
        TestSpan(trace: number, id: 1, region: "r0"),
        TestSpan(trace: number, id: 2, parent: 1, region: "r\(number % 6 + 1)"),
      ])
    }
    var merged = shards[0].snapshot()
    merged.merge(shards[1].snapshot())
    let targets = series(merged).keys.filter { $0.hasPrefix("region_flow_requests_total") }
    #expect(targets.count == 4, "three regions besides r0, and the rest")
  }

  @Test func oneEdgeTooMany() {
    var flow = FlowLimits()
    flow.maxEdges = 2
    let shard = shard(flow: flow)
    for number in 1...4 as ClosedRange<UInt64> {
      shard.ingest([
        TestSpan(trace: number, id: 1, service: "c", kind: .client),
        TestSpan(trace: number, id: 2, parent: 1, service: "s\(number)", kind: .server),
      ])
    }
    let edges = series(shard.snapshot()).filter { $0.key.hasPrefix("traces_service_graph_request_total") }
    #expect(edges.count == 3)
    #expect(edges.values.max() == 2)
  }

  @Test func oneHalfLinkTooMany() {
    var flow = FlowLimits()
    flow.maxHalfLinks = 2
    let shard = shard(flow: flow)
    for number in 1...3 as ClosedRange<UInt64> {
      shard.ingest([TestSpan(trace: number, id: 1, region: "us", kind: .client)], at: number)
    }
    _ = shard.closeAll(now: 4)
    #expect(shard.snapshot().halfLinks == 2)
    for number in 1...3 as ClosedRange<UInt64> {
      shard.ingest([TestSpan(trace: number, id: 2, parent: 1, region: "eu", kind: .server)], at: 5)
    }
    let all = series(shard.snapshot())
    #expect(all["region_flow_requests_total{source_region=us,target_region=eu}"] ?? 0 < 3)
    #expect(all["stitching_forgotten_total{memory=half_links}"] ?? 0 >= 1)
    #expect(shard.snapshot().halfLinks == 2)
  }

  @Test func oneClosedTraceTooMany() {
    var limits = StitchingLimits()
    limits.maxClosedTraces = 2
    let shard = shard(limits)
    for number in 1...3 as ClosedRange<UInt64> { shard.ingest([TestSpan(trace: number)], at: number) }
    _ = shard.closeAll(now: 4)
    #expect(shard.ingest([TestSpan(trace: 1, id: 2)], at: 5).accepted == 1, "forgotten, so it is a new trace")
    #expect(shard.ingest([TestSpan(trace: 2, id: 2)], at: 5).late == 1)
    #expect(series(shard.snapshot())["stitching_forgotten_total{memory=closed_traces}"] == 1)
  }

  @Test func closedTracesStayWithinTheirBytes() {
    var limits = StitchingLimits()
    limits.closedBytesMax = 4000
    let shard = shard(limits)
    // The second alone is larger than what may be remembered: its ID is.
    for (number, count) in [(1, 10), (2, 1000), (3, 10)] as [(UInt64, UInt64)] {
      shard.ingest((1...count).map { TestSpan(trace: number, id: $0) }, at: number)
      _ = shard.closeAll(now: number)
    }
    #expect(shard.ingest([TestSpan(trace: 2, id: 2000)], at: 5).late == 1)
    #expect(shard.ingest([TestSpan(trace: 3, id: 1)], at: 5).duplicates == 1)
    for number in 10..<100 as Range<UInt64> {
      shard.ingest((1...10).map { TestSpan(trace: number, id: $0) }, at: 6)
      _ = shard.closeAll(now: 6)
    }
    let all = series(shard.snapshot())
    #expect(all["stitching_closed_traces{}"] ?? 0 < 40)
    // What compression needs comes on top.
    #expect(shard.snapshot().memoryBytes < 2 << 20)
  }

  @Test func oneLateSpanTooMany() {
    var limits = StitchingLimits()
    limits.maxLateSpans = 2
    let shard = shard(limits)
    shard.ingest([TestSpan(id: 1)])
    _ = shard.closeAll(now: 1)
    for id in 2...4 as ClosedRange<UInt64> { #expect(shard.ingest([TestSpan(id: id)], at: 2).late == 1) }
    #expect(shard.ingest([TestSpan(id: 3), TestSpan(id: 4)], at: 2).duplicates == 2)
    #expect(shard.ingest([TestSpan(id: 2)], at: 2).late == 1, "forgotten")
  }

  @Test func aCallOfAdvanceIsBounded() {
    var limits = StitchingLimits()
    limits.closedPerAdvance = 10
    let shard = shard(limits)
    for number in 1...25 as ClosedRange<UInt64> { shard.ingest([TestSpan(trace: number)]) }
    let now = 100 * second
    #expect(shard.advance(to: 1).isEmpty)
    for count in [10, 10, 5] {
      #expect(shard.nextDeadline.map { $0 <= now } == true)
      #expect(shard.advance(to: now).traces.count == count)
    }
    #expect(shard.liveTraces == 0)
  }

  @Test func closingKeepsPaceWithOpening() {
    var limits = StitchingLimits()
    limits.closedPerAdvance = 10
    let shard = shard(limits)
    var opened = 0
    func open(_ count: Int, at now: UInt64) {
      for _ in 0..<count {
        opened += 1
        shard.ingest([TestSpan(trace: UInt64(opened))], at: now)
      }
    }
    open(400, at: 0)
    #expect(shard.advance(to: 1).isEmpty)
    for count in [100, 100, 60, 20, 10, 0] {
      let now = 100 * second + UInt64(opened)
      open(count / 2, at: now)
      #expect(shard.advance(to: now).traces.count == max(10, count))
    }
    #expect(shard.liveTraces == opened - 300)
  }
}
