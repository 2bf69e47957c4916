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
    /// Bytes on the wire.
    var bytes: Int
    var sentAt: UInt64
    var deadline: UInt64
  }

  var state: State
  private(set) var inFlight: [InFlight] = []
  /// Bytes of the requests in flight.
  private(set) var bytesInFlight = 0
  /// Whether the connection takes one more request: what it was given has left, as far as its peer lets it.
  var hasRoom = true
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

  /// Whether a request may be sent now. One that is larger than all that may be in flight goes alone.
  func mayCarry(_ options: ForwarderOptions) -> Bool {
    guard state == .ready, hasRoom, inFlight.isEmpty || bytesInFlight < options.bytesPerConnection else { return false }
    return inFlight.count < min(options.requestsPerConnection, peerConcurrency, allowance.limit)
  }

  mutating func add(_ request: InFlight) {
    inFlight.append(request)
    bytesInFlight += request.bytes
  }

  /// Notes what a request comes to on the wire.
  mutating func weigh(_ sequence: UInt64, bytes: Int) {
    guard let index = inFlight.firstIndex(where: { $0.sequence == sequence }) else { return }
    bytesInFlight += bytes - inFlight[index].bytes
    inFlight[index].bytes = bytes
  }

  mutating func remove(_ sequence: UInt64) -> InFlight? {
    guard let index = inFlight.firstIndex(where: { $0.sequence == sequence }) else { return nil }
    bytesInFlight -= inFlight[index].bytes
    return inFlight.remove(at: index)
  }

  /// Forgets what is in flight, and gives it.
  mutating func removeAll() -> [InFlight] {
    defer { (inFlight, bytesInFlight) = ([], 0) }
    return inFlight
  }
}
