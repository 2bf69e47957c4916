/// How long a failed batch, or a lost connection, waits for its next try: exponential backoff with jitter, as the
/// OpenTelemetry Collector's `retry_on_failure`.
public struct RetrySchedule: Sendable, Equatable {
  public var initialInterval: Duration
  public var maxInterval: Duration
  /// How long after its first try a batch is given up; zero means never.
  public var maxElapsedTime: Duration

  /// What the interval grows by with each retry.
  public static let multiplier = 1.5
  /// The share of the interval by which a delay may be shorter or longer.
  public static let randomization = 0.5
  /// The longest a peer can make us wait: a number that a peer sends has a bound.
  public static let peerDelayMax = Duration.seconds(3600)

  /// Makes a schedule.
  public init(
    initialInterval: Duration = .seconds(1), maxInterval: Duration = .seconds(30), maxElapsedTime: Duration = .zero
  ) {
    self.initialInterval = initialInterval
    self.maxInterval = maxInterval
    self.maxElapsedTime = maxElapsedTime
  }

  /// The interval before retry number `retry` (from 0), before jitter, in nanoseconds.
  public func interval(retry: Int) -> UInt64 {
    let ceiling = Double(maxInterval.nanoseconds)
    var interval = Double(initialInterval.nanoseconds)
    var left = retry
    while left > 0, interval > 0, interval < ceiling {
      interval *= Self.multiplier
      left -= 1
    }
    return Self.whole(min(interval, ceiling))
  }

  /// The delay before retry number `retry`, in nanoseconds; `jitter` is random in 0..<1.
  public func delay(retry: Int, jitter: Double) -> UInt64 {
    let interval = Double(interval(retry: retry))
    return Self.whole(interval * (1 - Self.randomization + 2 * Self.randomization * min(max(0, jitter), 1)))
  }

  /// The delay before the next try, at least what the peer asked for, or nil where the batch is to be given up because
  /// that try would come later than `maxElapsedTime` after the first.
  public func next(retry: Int, elapsed: UInt64, peerDelay: Duration?, jitter: Double) -> UInt64? {
    var delay = delay(retry: retry, jitter: jitter)
    if let peerDelay { delay = max(delay, min(peerDelay, Self.peerDelayMax).nanoseconds) }
    let limit = maxElapsedTime.nanoseconds
    return limit > 0 && elapsed.later(by: delay) > limit ? nil : delay
  }

  private static func whole(_ nanoseconds: Double) -> UInt64 {
    nanoseconds >= Double(UInt64.max) ? .max : UInt64(max(0, nanoseconds))
  }
}
