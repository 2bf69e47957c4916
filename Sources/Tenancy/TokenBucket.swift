/// So many units a second, and a second's or so at once: fills steadily, and gives while there is anything in it. What is
/// taken may be more than there is; then nothing is given until that is made up for. So a request that is larger than
/// all a bucket holds gets through, and the rate is kept all the same.
struct TokenBucket: Sendable, Equatable {
  /// Units a second.
  private var rate: Double
  /// What it holds when it is full.
  private var capacity: Double
  /// What is in it; below zero, what is owed.
  private(set) var level: Double
  /// Up to when it was filled, in nanoseconds of a monotonic clock.
  private var filledAt: UInt64

  /// A full bucket.
  init(rate: Double, burst: Duration, now: UInt64) {
    self.rate = rate
    capacity = Self.capacity(rate, burst)
    level = capacity
    filledAt = now
  }

  private static func capacity(_ rate: Double, _ burst: Duration) -> Double {
    rate * (Double(burst.components.seconds) + Double(burst.components.attoseconds) / 1e18)
  }

  /// Goes on with another rate; what is owed stays owed.
  mutating func adopt(rate: Double, burst: Duration, now: UInt64) {
    fill(now)
    self.rate = rate
    capacity = Self.capacity(rate, burst)
    level = min(level, capacity)
  }

  /// How long it gives nothing, from `now` on; nil where it gives.
  mutating func wait(_ now: UInt64) -> Duration? {
    fill(now)
    guard level <= 0 else { return nil }
    // A peer is told to wait for a day at most.
    return .seconds(min(-level / rate, 86_400))
  }

  /// Takes so many units out, whatever there is.
  mutating func take(_ amount: Int, _ now: UInt64) {
    fill(now)
    level -= Double(max(0, amount))
  }

  /// The clock of another thread may be a little behind.
  private mutating func fill(_ now: UInt64) {
    guard now > filledAt else { return }
    level = min(capacity, level + Double(now - filledAt) / 1e9 * rate)
    filledAt = now
  }
}
