public import Telemetry

/// One loop's counters of policy: a snapshot for a scrape, and what the engine after a reload goes on from.
public struct PolicyCounts: Sendable {
  var pairs: [PairCounts] = []
  var baggage = BaggageCounts()
  var fullTables = FullTables()

  /// How often a bounded table had no room.
  struct FullTables: Sendable {
    var regions = 0
    var pairs = 0
    var hosts = 0
    var resources = 0
  }

  /// Zero.
  public init() {}

  /// The families of all loops' counters together. `memory` holds the regions' names.
  public static func families(_ counts: [PolicyCounts], memory: TraceMemory) -> [MetricFamily] {
    [sampling(counts, regions: memory.regions), baggage(counts), fullTables(counts, memory: memory)]
  }

  /// The families of the accounting, without a count: what a process without a policy publishes.
  public static var none: [MetricFamily] { [sampling([], regions: RegionDirectory()), baggage([])] }

  private struct Labels: Hashable {
    var source: String
    var target: String
  }

  /// Added up by label: names that only differ in what is not UTF-8 look alike, and the series must not come twice.
  private static func sampling(_ counts: [PolicyCounts], regions: RegionDirectory) -> MetricFamily {
    var sums: [Labels: (kept: Int, dropped: Int)] = [:]
    for pair in counts.flatMap(\.pairs) {
      let isOverflow = pair.source == .overflow && pair.target == .overflow
      guard !isOverflow || pair.kept &+ pair.dropped > 0 else { continue }
      let labels = Labels(source: regions.name(pair.source), target: regions.name(pair.target))
      sums[labels, default: (0, 0)].kept &+= pair.kept
      sums[labels, default: (0, 0)].dropped &+= pair.dropped
    }
    let ordered = sums.sorted { ($0.key.source, $0.key.target) < ($1.key.source, $1.key.target) }
    let samples = ordered.flatMap { labels, sum in
      [("kept", sum.kept), ("dropped", sum.dropped)].map { decision, count in
        MetricSample(
          [("source_region", labels.source), ("target_region", labels.target), ("decision", decision)],
          Double(count))
      }
    }
    return MetricFamily(
      "longspan_sampling_spans_total", .counter,
      help: "Spans by the pair of regions whose route decided, and whether sampling kept them.", samples: samples)
  }

  private static func baggage(_ counts: [PolicyCounts]) -> MetricFamily {
    let samples = BaggageReason.allCases.map { reason in
      MetricSample([("reason", reason.rawValue)], Double(counts.reduce(0) { $0 &+ $1.baggage[reason] }))
    }
    return MetricFamily(
      "longspan_baggage_limited_total", .counter, help: "Baggage entries dropped by the limits.", samples: samples)
  }

  private static func fullTables(_ counts: [PolicyCounts], memory: TraceMemory) -> MetricFamily {
    func sum(_ path: KeyPath<FullTables, Int>) -> Int { counts.reduce(0) { $0 &+ $1.fullTables[keyPath: path] } }
    let tables = [
      ("regions", sum(\.regions) &+ memory.regions.overflows), ("region_pairs", sum(\.pairs)),
      ("hosts", sum(\.hosts)), ("resources", sum(\.resources)), ("traces", memory.evictions),
    ]
    return MetricFamily(
      "longspan_policy_table_full_total", .counter,
      help: "Times a bounded table of the policy had no room: a name past the cap, or an entry that made way.",
      samples: tables.map { table, count in MetricSample([("table", table)], Double(count)) })
  }
}
