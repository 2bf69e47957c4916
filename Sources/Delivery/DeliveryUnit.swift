/// A batch in a lane's queue, with its place and its history.
public struct DeliveryUnit: Sendable {
  /// Where a unit is.
  public enum State: Sendable, Equatable {
    /// It may be sent now.
    case waiting
    /// It was sent on this connection slot and may be answered until then.
    case inFlight(slot: Int, deadline: UInt64)
    /// It is sent again at that time.
    case postponed(until: UInt64)
  }

  /// Who sends: one event loop's way to one destination.
  public let lane: UInt32
  /// The life of the lane's numbering: a new one when the sequence begins again.
  public let epoch: UInt64
  public let sequence: UInt64
  public internal(set) var batch: Batch
  public internal(set) var state = State.waiting
  /// How often it was sent.
  public internal(set) var attempts = 0
  /// Tries that the peer answered with "again", or did not answer in time: what the backoff grows with.
  public internal(set) var retries = 0
  /// Tries that were not answered in time.
  public internal(set) var timeouts = 0
  /// Tries that were lost with their connection.
  public internal(set) var losses = 0
  /// When it came into the queue.
  var enqueuedAt: UInt64 = 0
  var sentAt: UInt64 = 0
  /// When the first try began that counts against `max_elapsed_time`.
  var failingSince: UInt64?
  /// The earliest next try that the peer asked for.
  var notBefore: UInt64 = 0
}
