/// What is to be carried, and on what. Times are seconds.
public struct Deployment: Codable, Sendable {
  /// Spans that applications send, all regions together.
  public var spansPerSecond = 1e6
  /// Regions; the n-th has a share of the load in proportion to 1/n (Zipf). The aggregator is in the first.
  public var regions = 5
  /// Share of traces that are sampled.
  public var kept = 1.0
  /// Whether the aggregator exports what it stitched.
  public var exports = true

  /// Mean spans of a trace.
  public var spansPerTrace = 20.0
  /// How fast the sizes of large traces become rare: P(size > x) falls as x to minus this (bounded Pareto).
  public var tailIndex = 1.5
  /// The largest trace.
  public var largestTrace = 100_000.0
  /// Spans of a trace that one process sends, hence come together, on average.
  public var spansPerProcess = 10.0
  /// Median duration of a trace (log-normal).
  public var traceMedian = 0.2
  /// Standard deviation of the duration's logarithm; 1.7 makes the 99th percentile 50 times the median.
  public var traceSigma = 1.7
  /// Spans a second beyond which no single trace goes: the largest take their time.
  public var fastestTrace = 20_000.0
  /// Share of traces that cross regions.
  public var crossing = 0.3
  /// How long SDKs may collect before they send.
  public var exportDelay = 5.0
  /// Round trip between regions.
  public var roundTrip = 0.15
  /// Share of spans that call others and so wait for their ends.
  public var exits = 0.3

  /// Spans a second of a connection, on average; rates of connections are exponentially distributed.
  public var spansPerConnection = 1000.0
  /// Spans of a request that applications send, on average.
  public var spansPerRequest = 100.0
  /// Coefficient of variation of a region's rate, each region's by itself (log-normal).
  public var burstiness = 0.3
  /// How long a burst lasts: the time in which the rate's autocorrelation falls to 1/e.
  public var burstSeconds = 2.0

  /// `stitching.idle_timeout`.
  public var idleTimeout = 10.0
  /// Cores of a machine, each with one event loop.
  public var cores = 8
  /// Utilisation that no core may exceed on average.
  public var allowedLoad = 0.7
  /// Seconds that the 99th percentile may wait.
  public var waitMax = 0.05
  /// GiB that a process may occupy.
  public var memoryGiB = 32.0
  /// How long the aggregator is away.
  public var outage = 60.0

  /// Simulated seconds that count.
  public var seconds = 120.0
  /// Shards that are watched.
  public var watched = 4
  /// Brings back the same numbers.
  public var seed: UInt64 = 1

  /// A deployment with these defaults.
  public init() {}

  /// What is wrong with it, if anything is.
  public var complaint: String? {
    let positive = [
      spansPerSecond, traceMedian, fastestTrace, spansPerConnection, spansPerRequest, burstSeconds,
      waitMax, memoryGiB, seconds,
    ]
    let others = [traceSigma, exportDelay, roundTrip, burstiness, idleTimeout, outage]
    guard positive.allSatisfy({ $0 > 0 && $0 < 1e10 }) else { return "rates and sizes are above 0" }
    guard others.allSatisfy({ $0 >= 0 && $0 < 1e5 }) else { return "times are not negative, and below 100 000 s" }
    guard [regions, cores, watched].allSatisfy({ (1...1000).contains($0) }), spansPerProcess >= 1,
      spansPerSecond / spansPerConnection < 1e7
    else { return "there are 1 to 1000 regions, cores and watched shards, and fewer than 10 million connections" }
    guard (0...1).contains(crossing), (0...1).contains(exits) else { return "shares lie between 0 and 1" }
    guard kept > 0, kept <= 1, allowedLoad > 0, allowedLoad < 1 else { return "kept and load lie between 0 and 1" }
    guard tailIndex > 1, spansPerTrace >= 3, largestTrace > 2 * spansPerTrace else {
      return "traces have 3 spans or more on average, the largest more than twice that, and their tail index is above 1"
    }
    return nil
  }

  /// The regions' shares of the load, the largest first.
  var shares: [Double] {
    let weights = (1...regions).map { 1 / Double($0) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// Spans a second that the aggregator gets.
  var stitchedPerSecond: Double { spansPerSecond * kept }
}
