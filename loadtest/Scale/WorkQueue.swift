internal import Load

/// One core with a queue that is served in order: a single-server queue by Lindley's recursion.
struct WorkQueue: Sendable {
  /// How long work waited before it began.
  private(set) var waits = LatencyHistogram()
  /// The sum of all waits, in seconds.
  private(set) var waited = 0.0
  /// Seconds of work that came.
  private(set) var work = 0.0
  private var idleFrom = 0.0

  /// Takes work of a service time in at a time, not before that of the last one.
  mutating func arrive(at time: Double, service: Double, counts: Bool) {
    let begin = max(time, idleFrom)
    idleFrom = begin + service
    guard counts else { return }
    waits.record(UInt64(min(begin - time, 1e6) * 1e9))
    waited += begin - time
    work += service
  }

  /// The mean wait, in seconds.
  var meanWait: Double { waits.count > 0 ? waited / Double(waits.count) : 0 }

  /// The 99th percentile of waits, in seconds.
  var p99: Double { Double(waits.quantile(0.99)) / 1e9 }
}
