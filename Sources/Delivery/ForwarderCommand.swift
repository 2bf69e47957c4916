/// What a forwarder wants done, in this order.
public enum ForwarderCommand: Sendable {
  /// Make a connection for the slot now, and report `connectionUp` or `connectionDown`.
  case connect(slot: Int)
  /// Send the batch `forwarder.batch(sequence)` on the slot's connection, report `carried` and, later, `answered`. An
  /// attempt above 1 is a retry.
  case send(slot: Int, sequence: UInt64, attempt: Int)
  /// Reset the request's stream: it took too long. Nothing more is to be reported of it.
  case cancel(slot: Int, sequence: UInt64)
  /// Close the slot's connection, which has nothing in flight, and report `connectionDown`.
  case close(slot: Int)
  /// A batch is settled: book it.
  case settle(Settlement)
  /// Call `timer` then; replaces the last wish.
  case wake(at: UInt64)
  /// Draining is over: nothing is held, or the deadline has come and so many batches are left (see `abandon`).
  case drained(left: Int)
}

/// What a forwarder is held to.
public struct ForwarderOptions: Sendable, Equatable {
  public var connections: Int
  /// Requests in flight on one connection; the peer may allow fewer.
  public var requestsPerConnection: Int
  /// Bytes of requests in flight on one connection, the last of which may go past them: what a long, fat link holds.
  public var bytesPerConnection: Int
  /// How long an answer may take.
  public var requestTimeout: Duration
  /// When a batch is tried again.
  public var retry: RetrySchedule
  /// When a connection is tried again. Never given up.
  public var reconnect: RetrySchedule

  /// Makes options; a connection is tried again sooner than a batch, because nothing but a new try can tell that the
  /// peer is back.
  public init(
    connections: Int = 2, requestsPerConnection: Int = 128, bytesPerConnection: Int = 32 << 20,
    requestTimeout: Duration = .seconds(10), retry: RetrySchedule = RetrySchedule(), reconnect: RetrySchedule? = nil
  ) {
    precondition(connections > 0 && requestsPerConnection > 0, "a forwarder has connections to send on")
    self.connections = connections
    self.requestsPerConnection = requestsPerConnection
    self.bytesPerConnection = bytesPerConnection
    self.requestTimeout = requestTimeout
    self.retry = retry
    self.reconnect =
      reconnect
      ?? RetrySchedule(
        initialInterval: min(retry.initialInterval, .milliseconds(500)),
        maxInterval: min(retry.maxInterval, .seconds(5)))
  }

  /// When a batch is sent again whose connection broke under it: soon, yet later each time, because
  /// the batch may be what breaks the connections.
  var resend: RetrySchedule {
    RetrySchedule(initialInterval: min(retry.initialInterval, .milliseconds(100)), maxInterval: retry.maxInterval)
  }
}
