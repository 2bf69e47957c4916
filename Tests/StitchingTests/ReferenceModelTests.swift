import Stitching
import TestKit
import Testing
import TraceWire

/// The shard against the brute-force model, on random traffic in random order, split, repeated and late.
@Suite struct ReferenceModelTests {
  /// What the model does not know.
  static let internals: Set<String> = [
    "stitching_early_closed_traces_total", "stitching_forgotten_total", "stitching_label_overflow_total",
    "stitching_live_traces", "stitching_closed_traces", "stitching_half_links", "stitching_memory_bytes",
    "stitching_over_budget_spans_total",
  ]

  struct Times {
    var idle: Int
    var age: Int
    var ttl: Int
  }

  /// Whole ticks, so that the wheel's rounding does not show. In each, the ends of links are forgotten before the trace.
  static let times = [
    Times(idle: 2, age: 5, ttl: 600), Times(idle: 2, age: 500, ttl: 3), Times(idle: 1, age: 500, ttl: 0),
    Times(idle: 3, age: 3, ttl: 60),
  ]

  @Test(arguments: times.indices, [1, 2, 3, 4, 5] as [UInt64])
  func countsWhatTheModelCounts(times index: Int, seed: UInt64) {
    let times = Self.times[index]
    var limits = StitchingLimits()
    limits.idleTimeout = .seconds(times.idle)
    limits.maxTraceAge = .seconds(times.age)
    limits.closedPerAdvance = 7
    var flow = FlowLimits()
    flow.linkTTL = .seconds(times.ttl)
    let shard = shard(limits, flow: flow)
    var model = ReferenceModel(
      idle: UInt64(times.idle) * second, age: UInt64(times.age) * second, ttl: UInt64(times.ttl) * second)

    let deliveries = Deliveries(seed: seed, ticks: 200)
    var (given, kept, handedOn, payload) = (0, IngestTotals(), 0, 0)
    for step in 0..<deliveries.ticks + 100 {
      let now = UInt64(step) * second / 10
      model.advance(to: now)
      for part in shard.settled(at: now) {
        handedOn += part.spanCount
        payload += part.payload.isEmpty ? 0 : part.traces.count
      }
      for spans in deliveries.take(step) {
        given += spans.count
        model.ingest(spans, at: now)
        kept.add(shard.ingest(spans, at: now))
      }
    }
    let end = UInt64(deliveries.ticks + 100) * second
    model.advance(to: end)
    handedOn += shard.settle(at: end).reduce(0) { $0 + $1.spanCount }

    let counted = series(shard.snapshot(), ignoring: Self.internals)
    let wanted = model.series(buckets: flow.durationBuckets)
    #expect(differences(counted, wanted) == [], "seed \(seed)")
    #expect(counted["region_flow_requests_total{source_region=us,target_region=eu}"] ?? 0 > 0, "seed \(seed)")
    #expect(kept.accepted + kept.duplicates + kept.late + kept.overBudget == given, "seed \(seed)")
    #expect(handedOn == kept.accepted, "seed \(seed)")
    #expect(kept.duplicates == model.duplicates && kept.duplicates > 0, "seed \(seed)")
    #expect(kept.late > 0, "seed \(seed)")
    #expect(shard.heldBytes == 0 && shard.liveTraces == 0 && shard.heldSpans == 0, "seed \(seed)")
  }

  @Test(arguments: [11, 12, 13, 14] as [UInt64]) func orderDoesNotMatter(seed: UInt64) {
    var traces = RandomTraces(seed: seed)
    var spans = (1...60).flatMap { traces.trace($0, spans: Int.random(in: 1...80, using: &traces.random)) }
    var results: [[String: Double]] = []
    for _ in 0..<3 {
      let shard = shard()
      for span in spans { shard.ingest([span]) }
      _ = shard.closeAll(now: 1)
      results.append(series(shard.snapshot(), ignoring: Self.internals))
      spans.shuffle(using: &traces.random)
    }
    #expect(differences(results[0], results[1]) == [], "seed \(seed)")
    #expect(differences(results[0], results[2]) == [], "seed \(seed)")
  }

  @Test(arguments: [21, 22] as [UInt64]) func shardsMergeIntoWhatOneCounts(seed: UInt64) {
    var traces = RandomTraces(seed: seed)
    let spans = (1...100).flatMap { traces.trace($0, spans: Int.random(in: 1...20, using: &traces.random)) }
      .shuffled(using: &traces.random)
    let whole = request(spans)
    let names = FlowNames(limits: FlowLimits())
    let shards = (0..<3).map { _ in shard(names: names) }
    var partitioner = RequestPartitioner(map: ShardMap(shardCount: 3, hash: KeyedHash(seed, 5)))
    for (shard, list) in zip(shards, partitioner.partition(whole.facts)) {
      _ = shard.ingest(whole, spans: list, now: 0)
      _ = shard.closeAll(now: 1)
    }
    var merged = shards[0].snapshot()
    for shard in shards.dropFirst() { merged.merge(shard.snapshot()) }
    let one = shard()
    one.ingest(spans)
    _ = one.closeAll(now: 1)
    let ignored = Self.internals.subtracting(["stitching_closed_traces", "stitching_half_links"])
    #expect(differences(series(merged, ignoring: ignored), series(one.snapshot(), ignoring: ignored)) == [])
  }
}

struct IngestTotals {
  var (accepted, duplicates, late, overBudget) = (0, 0, 0, 0)

  mutating func add(_ report: IngestReport) {
    accepted += report.accepted
    duplicates += report.duplicates
    late += report.late
    overBudget += report.overBudget
  }
}

/// Random traces cut into requests, each span at its own time, some twice and some much later.
struct Deliveries {
  let ticks: Int
  private var requests: [Int: [[TestSpan]]] = [:]

  init(seed: UInt64, ticks: Int) {
    self.ticks = ticks
    var traces = RandomTraces(seed: seed)
    var due: [Int: [TestSpan]] = [:]
    for number in 1...150 as ClosedRange<UInt64> {
      let count = number % 50 == 0 ? 120 : Int.random(in: 1...12, using: &traces.random)
      let begin = Int.random(in: 0..<ticks / 2, using: &traces.random)
      for span in traces.trace(number, spans: count) {
        let spread = traces.random.one(in: 8) ? 90 : 12
        let at = begin + Int.random(in: 0..<spread, using: &traces.random)
        due[at, default: []].append(span)
        if traces.random.one(in: 10) {
          due[at + Int.random(in: 0..<60, using: &traces.random), default: []].append(span)
        }
      }
    }
    for (tick, spans) in due {
      var spans = spans.shuffled(using: &traces.random)
      while !spans.isEmpty {
        let size = min(spans.count, Int.random(in: 1...20, using: &traces.random))
        requests[tick, default: []].append(Array(spans.prefix(size)))
        spans.removeFirst(size)
      }
    }
  }

  func take(_ tick: Int) -> [[TestSpan]] { requests[tick] ?? [] }
}
