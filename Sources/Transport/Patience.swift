/// Finds out that a connection waits for its peer in vain. It is asked at regular intervals, so that no clock is read
/// when bytes come; what is in vain is known after one to two intervals.
struct Patience {
  private var wasAwaiting = false
  private var hasProgress = false

  /// The peer did some of what it owes.
  mutating func progress() { hasProgress = true }

  /// Whether nothing came since the last interval, and something was owed then.
  var isVain: Bool { wasAwaiting && !hasProgress }

  /// An interval is over; `isAwaiting` says whether the peer owes something now. True: so is patience.
  mutating func isOver(_ isAwaiting: Bool) -> Bool {
    defer {
      wasAwaiting = isAwaiting
      hasProgress = false
    }
    return isAwaiting && isVain
  }
}

/// Finds out that a connection is of no use to its peer. It is asked four times in the time that a connection may be
/// idle.
struct Idleness {
  /// Intervals that a connection may be idle.
  static let intervals = 4

  private var idleIntervals = 0
  private var lastRequest = 0

  /// An interval is over. `lastRequest` is a number that grows with every request. True: the time is over.
  mutating func isOver(isIdle: Bool, lastRequest: Int) -> Bool {
    idleIntervals = isIdle && lastRequest == self.lastRequest ? idleIntervals + 1 : 0
    self.lastRequest = lastRequest
    return idleIntervals >= Self.intervals
  }
}
