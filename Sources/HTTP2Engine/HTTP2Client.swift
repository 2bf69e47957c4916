/// The client's side of one HTTP/2 connection, without I/O. Lives on one event loop.
///
/// The transport hands over what it read (`receive`), then writes what `drain` gives. When either throws, it drains
/// once more, writes that, and closes. When the connection is gone it says so with `connectionLost`.
public final class HTTP2Client {
  private let limits: HTTP2ClientLimits
  private let session: HTTP2Session
  /// Called when a ping is answered.
  public var onPong: (() -> Void)?
  /// Called once when the peer announces that it goes away; requests that it will not look at fail by themselves.
  public var onGoAway: (() -> Void)?
  private var isPeerLeaving = false
  private var pingsSent: UInt64 = 0

  /// Begins a connection: the preface and SETTINGS wait to be drained at once.
  public init(limits: HTTP2ClientLimits = HTTP2ClientLimits()) {
    self.limits = limits
    session = HTTP2Session(SessionLimits(limits))
    session.serve(self)
  }

  deinit { session.abandon() }

  /// Called when something waits to be drained that came outside of `receive` and `drain`; at most once between two
  /// drains. The transport always drains after `receive`.
  public var wantsFlush: (() -> Void)? {
    get { session.wantsFlush }
    set { session.wantsFlush = newValue }
  }

  /// Takes in what the peer sent; `now` is monotonic, in nanoseconds. Must not be called from inside itself.
  public func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) throws(HTTP2Fault) {
    try session.receive(bytes, now: now)
  }

  /// Hands every waiting block to `sink`, until `byteCount` bytes or more went; true when more is left. A block is
  /// valid during the call only. A fault is thrown behind the last block. From inside `receive` this does nothing.
  @discardableResult
  public func drain(
    upTo byteCount: Int = .max, _ sink: (UnsafeRawBufferPointer) -> Void
  ) throws(HTTP2Fault) -> Bool {
    try session.drain(upTo: byteCount, sink)
  }

  /// Sends a request whose body is `prefix` and then `body`; both are held, not copied, until they were drained: `sent`
  /// tells of that, from inside `drain`, unless the request ends before. `completion` is called exactly once, from
  /// inside `receive`, `drain`, `cancel`, `connectionLost` or deinit, and may submit again. Returns the stream's number,
  /// or nil (and `completion` is not called) when `canSubmit` is false.
  @discardableResult
  public func submit(
    _ request: ClientRequest, prefix: [UInt8] = [], body: [UInt8] = [], sent: (() -> Void)? = nil,
    completion: @escaping ClientCompletion
  ) -> Int32? {
    guard canSubmit else { return nil }
    let hasData = !(prefix.isEmpty && body.isEmpty)
    guard let id = session.submitRequest(request.lines, hasData: hasData) else { return nil }
    let stream = ClientStream(id: id, session: session, bodyBytesMax: limits.responseBytesMax, completion: completion)
    stream.outgoing = OutgoingBody(prefix: prefix, body: body)
    stream.onSent = sent
    session.adopt(stream)
    session.askForFlush()
    return id
  }

  /// Calls a request off, for instance because its time is up; it completes as `.reset(code: 8)`, now.
  public func cancel(_ id: Int32) { (session.streams[id] as? ClientStream)?.cancel() }

  /// Whether one more request may be sent now. It changes with every answer and whatever the peer says.
  public var canSubmit: Bool { acceptsNewRequests && activeRequests < concurrencyMax && session.mayOpenStream }

  /// Whether the body of one more request would begin to leave with the next drain: nothing waits to be drained, and
  /// the peer's window for the connection is open. What waits for the window of its own stream holds up nobody.
  public var isOutputFree: Bool { !session.hasOutput && session.peerWindow > 0 }

  /// Requests that may be in flight, by the peer's SETTINGS and our own limit.
  public var concurrencyMax: Int { min(session.peerConcurrencyMax, max(limits.requestsInFlightMax, 1)) }

  /// False for good once either side goes away; requests in flight go on.
  public var acceptsNewRequests: Bool { !isPeerLeaving && !session.isDone && session.fault == nil }

  /// Requests without their answer.
  public var activeRequests: Int { session.streams.count }

  /// Asks for a sign of life; `onPong` says that it came.
  public func ping() {
    pingsSent &+= 1
    session.ping(pingsSent)
  }

  /// Says goodbye: requests in flight go on, new ones are refused.
  public func shutdown() {
    guard acceptsNewRequests else { return }
    isPeerLeaving = true
    session.submitGoAway()
  }

  /// The connection is gone: requests in flight fail as `.connectionLost`.
  public func connectionLost() { session.connectionLost() }

  /// Nothing is left to be read or written: the transport may close.
  public var isDone: Bool { session.isDone }

  /// Whether `drain` would give something now.
  public var hasOutput: Bool { session.hasOutput }

  /// The fault that ended the connection, if one did.
  public var fault: HTTP2Fault? { session.fault }
}

extension HTTP2Client: SessionOwner {
  func openStream(_ id: Int32) -> HTTP2Stream? { nil }

  func pongReceived(_ payload: UInt64) { onPong?() }

  func goAwayReceived() {
    guard !isPeerLeaving else { return }
    isPeerLeaving = true
    onGoAway?()
  }
}
