/// What one connection, or all of them, came to.
struct LoadTally: Sendable {
  var latencies = LatencyHistogram()
  var answers: [String: Int] = [:]
  var requests = 0
  var spans = 0
  var acceptedSpans = 0
  /// Bytes of bodies, compressed, with gRPC's prefix.
  var bytes = 0
  var reconnects = 0
  /// Requests that were due and could not be sent in time.
  var missed = 0
  var lastAnswer: UInt64 = 0

  mutating func merge(_ other: LoadTally) {
    latencies.merge(other.latencies)
    answers.merge(other.answers) { $0 + $1 }
    requests += other.requests
    spans += other.spans
    acceptedSpans += other.acceptedSpans
    bytes += other.bytes
    reconnects += other.reconnects
    missed += other.missed
    lastAnswer = max(lastAnswer, other.lastAnswer)
  }
}

/// What a run came to.
public struct LoadReport: Sendable, Codable, Equatable {
  /// Requests that were sent.
  public var requests: Int
  /// Their spans.
  public var spans: Int
  /// The spans of those that were accepted.
  public var acceptedSpans: Int
  /// Requests by gRPC status, HTTP status, or `lost`, `unanswered`.
  public var answers: [String: Int]
  /// Bytes of bodies as they were sent, gRPC's prefix included; frames and TLS are not.
  public var bytes: Int
  /// From the first request to the last answer.
  public var seconds: Double
  /// Accepted spans a second.
  public var spansPerSecond: Double
  /// Milliseconds, by quantile: `p50`, `p90`, `p99`, `p99.9`, `max`.
  public var latency: [String: Double]
  public var reconnects: Int
  /// Requests that an open loop could not send before its end.
  public var missed: Int

  init(_ tally: LoadTally, begin: UInt64) {
    requests = tally.requests
    spans = tally.spans
    acceptedSpans = tally.acceptedSpans
    answers = tally.answers
    bytes = tally.bytes
    seconds = Double(max(tally.lastAnswer, begin) - begin) / 1e9
    spansPerSecond = seconds > 0 ? Double(tally.acceptedSpans) / seconds : 0
    let quantiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1)]
    latency = [:]
    for (name, share) in quantiles { latency[name] = Double(tally.latencies.quantile(share)) / 1e6 }
    reconnects = tally.reconnects
    missed = tally.missed
  }
}
