/// A place for one connection of a lane, over all the connections that fill it in turn.
struct ConnectionSlot: Sendable {
  enum State: Sendable, Equatable {
    /// Nothing is under way until then.
    case down(until: UInt64)
    /// Nothing is under way until there is something to send.
    case resting
    /// A connection was asked for.
    case connecting
    /// Requests may be sent.
    case ready
    /// Requests in flight may end; new ones go elsewhere.
    case leaving
  }

  struct InFlight: Sendable {
    var sequence: UInt64
    var sentAt: UInt64
    var deadline: UInt64
  }

  var state: State
  var inFlight: [InFlight] = []
  /// What is left of the requests that may be in flight, over all connections of this slot: they take the same way.
  var allowance = RequestAllowance()
  /// The streams the peer allows at once.
  var peerConcurrency = Int.max
  /// Connections in a row that did not bring a single answer.
  var failures = 0
  /// Whether the connection brought an answer.
  var isProven = false
  /// Whether the connection leads to where none is to lead any more: its end is no failure.
  var isReplaced = false
  /// Whether no connection is to follow: the configuration has fewer now.
  var isRetired = false

  init(connectAt: UInt64) { state = .down(until: connectAt) }

  func room(_ requestsMax: Int) -> Int {
    state == .ready ? max(0, min(requestsMax, peerConcurrency, allowance.limit) - inFlight.count) : 0
  }

  mutating func remove(_ sequence: UInt64) -> InFlight? {
    guard let index = inFlight.firstIndex(where: { $0.sequence == sequence }) else { return nil }
    return inFlight.remove(at: index)
  }
}
