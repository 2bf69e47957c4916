/// Finds out that a connection waits for its peer in vain. It is asked at regular intervals, so that no clock is read
/// when bytes come; what is in vain is known after one to two intervals.
struct Patience {
  /// What a connection waits for.
  enum Wait {
    /// For this side, or for a request that may come any time.
    case nothing
    /// For another request, on a connection that has had one (HTTP/1.1): clients that keep it for later come back.
    case request
    /// For what the peer owes: the rest of a request, or that it reads its answers.
    case peer
  }

  /// Intervals that a connection may be idle.
  static let idleIntervals = 4

  private var wait = Wait.nothing
  private var vainIntervals = 0
  private var hasProgress = false

  /// The peer did some of what it owes.
  mutating func progress() { hasProgress = true }

  /// An interval is over. True: so is patience.
  mutating func isOver(_ current: Wait) -> Bool {
    vainIntervals = hasProgress || current != wait ? 0 : vainIntervals + 1
    hasProgress = false
    wait = current
    switch current {
    case .nothing: return false
    case .request: return vainIntervals >= Self.idleIntervals
    case .peer: return vainIntervals >= 1
    }
  }
}
