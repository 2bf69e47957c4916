/// How many requests a connection may have in flight, as far as answers that did not come in time tell.
///
/// All requests of a connection share its link: where too many are under way for the bandwidth, none is through before
/// its time is up, each is sent again from its start, and so for ever. Each request that is too late halves what may be
/// in flight; each that needed less than half of its time allows one more.
struct RequestAllowance: Sendable, Equatable {
  private(set) var limit = Int.max

  /// A request's time was up, while so many (with it) were in flight.
  mutating func timedOut(of inFlight: Int) { limit = min(limit, max(1, inFlight / 2)) }

  /// A request was answered, with so much of its time left.
  mutating func answered(left: UInt64, of timeout: UInt64) {
    if left >= timeout / 2, limit < .max { limit += 1 }
  }
}
