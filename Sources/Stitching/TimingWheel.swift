/// A timing wheel: arming, disarming and firing are O(1), whatever the number of timers.
/// 1024 buckets of 100 ms. A timer fires in its bucket, never early and at most a tick late; one that is due past the
/// wheel's turn comes up at the end of the turn, and its owner, who knows when it is really due, arms it again.
struct TimingWheel: Sendable {
  /// Nanoseconds a bucket spans.
  static let tick: UInt64 = 100_000_000
  private static let buckets: UInt64 = 1024

  private var lists = SlotLists(lists: Int(buckets))
  /// One bit a bucket: the timers of a bucket may all have been disarmed, so a bit may be set too many.
  private var occupied = [UInt64](repeating: 0, count: Int(buckets / 64))
  /// Every bucket before this tick has fired.
  private var current: UInt64
  private(set) var armed = 0

  /// An empty wheel that begins at this time.
  init(now: UInt64) { current = now / Self.tick }

  var byteCount: Int { lists.byteCount }

  /// Makes room for the timers below `count`.
  mutating func reserve(timers count: Int) { lists.reserve(entries: count) }

  /// Arms a timer that is not armed.
  mutating func arm(_ timer: UInt32, at deadline: UInt64) {
    var due = deadline / Self.tick
    if deadline % Self.tick != 0 { due &+= 1 }
    due = min(max(due, current), current.saturatingAdd(Self.buckets - 1))
    let bucket = due % Self.buckets
    lists.append(timer, to: UInt32(truncatingIfNeeded: bucket))
    occupied[Int(bucket / 64)] |= 1 << (bucket % 64)
    armed &+= 1
  }

  /// Takes an armed timer out.
  mutating func disarm(_ timer: UInt32) {
    lists.remove(timer)
    armed &-= 1
  }

  /// A timer that is due at `now`, disarmed; `nil` when there is none left.
  mutating func fire(now: UInt64) -> UInt32? {
    let last = now / Self.tick
    while let next = nextOccupied(), next <= last {
      current = next
      let bucket = UInt32(truncatingIfNeeded: next % Self.buckets)
      if let timer = lists.first(of: bucket) {
        disarm(timer)
        return timer
      }
      occupied[Int(bucket / 64)] &= ~(1 << UInt64(bucket % 64))
    }
    current = max(current, last)
    return nil
  }

  /// When a timer may be due next.
  var nextDeadline: UInt64? {
    guard armed > 0, let next = nextOccupied() else { return nil }
    let (deadline, overflow) = next.multipliedReportingOverflow(by: Self.tick)
    return overflow ? .max : deadline
  }

  /// The first tick from `current` on whose bucket is marked.
  private func nextOccupied() -> UInt64? {
    let start = current % Self.buckets
    for step in 0...(Self.buckets / 64) {
      let word = (start / 64 + step) % (Self.buckets / 64)
      var bits = occupied[Int(word)]
      if step == 0 { bits &= ~0 << (start % 64) }
      if step == Self.buckets / 64 { bits &= ~(~0 << (start % 64)) }
      if bits != 0 {
        let bucket = word * 64 + UInt64(bits.trailingZeroBitCount)
        return current.saturatingAdd((bucket &- start) % Self.buckets)
      }
    }
    return nil
  }
}
