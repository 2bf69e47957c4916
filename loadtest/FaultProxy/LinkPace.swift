/// When bytes arrive that all connections send over one direction of a link: one after the other at its bandwidth, and
/// then they travel. Times are nanoseconds on any monotonic clock.
struct LinkPace {
  private var busyUntil: UInt64 = 0

  /// Puts bytes on the link; when they arrive.
  mutating func arrival(of count: Int, now: UInt64, on link: LinkConditions) -> UInt64 {
    guard let rate = link.bytesPerSecond else { return now &+ link.delay.nanoseconds }
    let sending = Double(count) * 1e9 / Double(rate)
    busyUntil = max(busyUntil, now) &+ UInt64(min(sending, 3600e9))
    return busyUntil &+ link.delay.nanoseconds
  }

  /// Forgets what is under way: it is put on the link again.
  mutating func clear() { busyUntil = 0 }
}
