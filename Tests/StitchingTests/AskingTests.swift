import Foundation
import Stitching
import Telemetry
import Testing
import TraceWire

/// A shard whose closings somebody else says, and counts that outlive a process.
@Suite struct AskingTests {
  private func asking(_ limits: StitchingLimits = StitchingLimits()) -> StitchingShard {
    StitchingShard(
      limits: limits, flow: FlowLimits(), names: FlowNames(limits: FlowLimits()), hash: KeyedHash(1, 2), now: 0,
      asksBeforeClosing: true)
  }

  @Test func aTraceClosesWhenItIsTold() {
    let shard = asking()
    shard.ingest([TestSpan(trace: 1, id: 1), TestSpan(trace: 2, id: 1)])
    #expect(shard.settle(at: 9 * second).isEmpty)
    #expect(shard.takeQuestions().isEmpty)
    #expect(shard.settle(at: 11 * second).isEmpty)
    #expect(Set(shard.takeQuestions()) == [TestSpan(trace: 1).traceID, TestSpan(trace: 2).traceID])
    #expect(shard.takeQuestions().isEmpty, "each is asked for once")
    #expect(shard.settle(at: 40 * second).isEmpty && shard.takeQuestions().isEmpty)

    let report = shard.ingest([TestSpan(trace: 1, id: 2, parent: 1)], at: 40 * second)
    #expect(report.accepted == 1 && report.late == 0, "until it is told, it collects")
    let closed = shard.close([TestSpan(trace: 1).traceID, TestSpan(trace: 9).traceID], now: 41 * second)
    #expect(closed.traces.map(\.spanCount) == [2])
    #expect(shard.ingest([TestSpan(trace: 1, id: 3)], at: 41 * second).late == 1)
    #expect(shard.liveTraces == 1 && shard.isLive(TestSpan(trace: 2).traceID))
  }

  @Test func whatCouldNotBeSaidComesUpAgain() {
    let shard = asking()
    shard.ingest([TestSpan(trace: 1)])
    _ = shard.settle(at: 11 * second)
    let questions = shard.takeQuestions()
    shard.keepOpen(questions, now: 11 * second)
    #expect(shard.settle(at: 20 * second).isEmpty && shard.takeQuestions().isEmpty)
    _ = shard.settle(at: 22 * second)
    #expect(shard.takeQuestions() == questions)
    #expect(shard.close(questions, now: 22 * second).traces.count == 1)
    #expect(shard.heldBytes == 0 && shard.heldSpans == 0)
  }

  /// Idle time begins anew, age does not.
  @Test func nobodyCouldTellOfThemForAWhile() {
    let shard = asking()
    shard.ingest([TestSpan(trace: 1)], at: 1 * second)
    shard.ingest([TestSpan(trace: 2)], at: 290 * second)
    shard.wake(now: 299 * second)
    #expect(shard.settle(at: 300 * second).isEmpty && shard.takeQuestions().isEmpty)
    _ = shard.settle(at: 302 * second)
    #expect(shard.takeQuestions() == [TestSpan(trace: 1).traceID], "five minutes are over")
    _ = shard.settle(at: 308 * second)
    #expect(shard.takeQuestions().isEmpty)
    _ = shard.settle(at: 310 * second)
    #expect(shard.takeQuestions() == [TestSpan(trace: 2).traceID])
  }

  @Test func capsAskForTheLongestIdle() {
    var limits = StitchingLimits()
    limits.maxLiveTraces = 2
    let shard = asking(limits)
    for trace in 1...3 as ClosedRange<UInt64> {
      #expect(shard.ingest([TestSpan(trace: trace)], at: trace).closed.isEmpty)
    }
    #expect(shard.takeQuestions() == [TestSpan(trace: 1).traceID])
    shard.ingest([TestSpan(trace: 4)], at: 4)
    #expect(shard.takeQuestions() == [TestSpan(trace: 2).traceID], "one that was asked for does not count")
    #expect(shard.close([TestSpan(trace: 1).traceID], now: 5).traces.count == 1)
  }

  @Test func memoryAsksForTheLongestIdle() {
    var limits = StitchingLimits()
    limits.memoryBytesMax = 200_000
    let shard = asking(limits)
    var questions: [TraceID] = []
    for trace in 1...100_000 as ClosedRange<UInt64> where questions.isEmpty {
      shard.ingest([TestSpan(trace: trace, size: 1000)], at: trace)
      questions = shard.takeQuestions()
    }
    #expect(questions.first == TestSpan(trace: 1).traceID)
    #expect(shard.heldBytes > 200_000, "until it is told, it holds them")
    _ = shard.close(questions, now: 200_000)
    #expect(shard.heldBytes <= 200_000)
  }

  // MARK: Counts

  private let spans = [
    TestSpan(trace: 1, id: 1, region: "us", service: "web", kind: .client),
    TestSpan(trace: 1, id: 2, parent: 1, region: "eu", service: "shop", kind: .server, isError: true),
    TestSpan(trace: 2, id: 1, region: "eu", service: "cron"), TestSpan(trace: 2, id: 2, parent: 7, region: "ap"),
  ]
  private static let gauges: Set = [
    "stitching_live_traces", "stitching_closed_traces", "stitching_half_links", "stitching_memory_bytes",
    "stitching_forgotten_total", "stitching_label_overflow_total",
  ]

  private func counted() -> FlowSnapshot {
    let shard = shard()
    shard.ingest(spans)
    _ = shard.closeAll(now: 1)
    return shard.snapshot()
  }

  private func restored(_ snapshot: FlowSnapshot, _ names: FlowNames, _ limits: FlowLimits) throws -> FlowSnapshot {
    let data = try JSONEncoder().encode(FlowTotals(snapshot))
    return try JSONDecoder().decode(FlowTotals.self, from: data).snapshot(names: names, limits: limits)
  }

  @Test func countsOutliveAProcess() throws {
    let (first, limits) = (counted(), FlowLimits())
    // The next process has met other names before, so that all numbers differ.
    let names = FlowNames(limits: limits)
    let second = shard(names: names)
    second.ingest([TestSpan(trace: 5, region: "sa", service: "zoo")])
    second.ingest(spans)
    _ = second.closeAll(now: 1)
    var all = second.snapshot()
    all.merge(try restored(first, names, limits))
    let (once, now) = (series(first, ignoring: Self.gauges), series(all, ignoring: Self.gauges))
    #expect(once["trace_count{source_region=us,target_region=eu}"] == 1)
    for (name, value) in once where !name.hasPrefix("stitching_traces") && !name.hasPrefix("stitching_early") {
      #expect(now[name] == 2 * value, "\(name)")
    }
  }

  @Test func countsPastTheCapsBecomeOne() throws {
    var limits = FlowLimits()
    limits.maxRegions = 1
    limits.maxServices = 1
    let now = series(try restored(counted(), FlowNames(limits: limits), limits), ignoring: Self.gauges)
    let known = now.filter { $0.key.hasPrefix("trace_count") }
    #expect(known.values.reduce(0, +) == 1)
    #expect(known.keys.allSatisfy { $0.contains("__overflow__") })
  }

  @Test func otherBucketsBeginAtZero() throws {
    var limits = FlowLimits()
    limits.durationBuckets = [1, 2]
    let now = series(try restored(counted(), FlowNames(limits: limits), limits), ignoring: Self.gauges)
    #expect(now["region_flow_requests_total{source_region=us,target_region=eu}"] == 1)
    #expect(now.keys.allSatisfy { !$0.hasPrefix("region_flow_client_seconds") })
  }

  @Test func forgottenCountsLeaveTheTraces() {
    let shard = asking()
    shard.ingest(spans)
    shard.forgetCounts()
    #expect(series(shard.snapshot())["trace_count{source_region=us,target_region=eu}"] == nil)
    #expect(shard.close([TestSpan(trace: 1).traceID], now: 1).traces.map(\.spanCount) == [2])
    let after = series(shard.snapshot())
    #expect(after["trace_duration_seconds_sum{service=web}"] != nil)
  }
}
