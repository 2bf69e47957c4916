internal import HTTP2Engine
internal import NIOCore
internal import TLSEngine

/// The timers of one accepted connection.
struct ConnectionTimers {
  /// Ends the opening; then looks after what the peer owes; after the end, ends the lingering.
  var main: Scheduled<Void>?
  /// Looks after idleness.
  var idle: Scheduled<Void>?
  /// Ends a header block that takes too long.
  var headers: Scheduled<Void>?
  /// The number of the header block that is being timed.
  var headerBlock: Int?
  /// The handshake or the connection preface is not whole.
  var isOpening = true

  func cancel() {
    main?.cancel()
    idle?.cancel()
    headers?.cancel()
  }
}

/// What becomes of a connection as time goes by.
extension ServerConnection {
  func beginOpening() {
    schedule(\.main, in: options.timeouts.handshake) { connection in
      let isShaken = connection.tls?.isEstablished ?? true
      connection.hangUp(isShaken ? "preface_timeout" : "handshake_timeout")
    }
  }

  /// It is known what the peer speaks.
  func beginServing(idle: Duration) {
    timers.isOpening = false
    lookAfterPeer(in: options.timeouts.stall)
    lookAfterIdleness(every: idle / Idleness.intervals)
  }

  /// The end was said; it is to be written.
  func beginEnding() {
    timers.cancel()
    patience = Patience()
    lookAfterPeer(in: options.timeouts.stall)
  }

  /// The end was written; it is to be read.
  func beginLingering() {
    schedule(\.main, in: options.timeouts.linger) { $0.abort() }
  }

  private typealias Timer = WritableKeyPath<ConnectionTimers, Scheduled<Void>?>

  /// How late a timer may be before it says more about this process than about the peer.
  private static let latenessMax = TimeAmount.seconds(1)

  private func schedule(
    _ timer: Timer, in delay: Duration, _ action: @escaping (ServerConnection) -> Void
  ) {
    timers[keyPath: timer]?.cancel()
    guard let loop = context?.eventLoop else { return }
    let due = loop.now + .nanoseconds(delay.nanosecondsClamped)
    timers[keyPath: timer] = loop.assumeIsolated().scheduleTask(deadline: due) { [weak self] in
      guard let self else { return }
      // The process stood still: what the peer has sent in the meantime is to be read first.
      if loop.now - due > Self.latenessMax { return schedule(timer, in: .seconds(1), action) }
      action(self)
    }
  }

  // MARK: Headers

  /// Bytes came; `block` is the number of a header block that has begun with them or before and is not whole. It is
  /// given its time however many bytes come, and that is rare: most header blocks come in one piece.
  func watchHeaders(_ block: Int?) {
    guard timers.headerBlock != block else { return }
    timers.headerBlock = block
    guard block != nil else { return timers.headers?.cancel() ?? () }
    schedule(\.headers, in: options.timeouts.header) { $0.hangUp("header_timeout") }
  }

  // MARK: What the peer owes

  private func lookAfterPeer(in interval: Duration) {
    schedule(\.main, in: interval) { connection in
      let (isAwaiting, complaint) = connection.look()
      if let complaint { return connection.hangUp(complaint) }
      guard connection.patience.isOver(isAwaiting) else { return connection.lookAfterPeer(in: interval) }
      if case .ended = connection.mode { return connection.abort() }
      connection.hangUp(connection.isWritable ? "stalled" : "unread_answer")
    }
  }

  /// Whether the peer owes something, and the reason to hang up at once if there is one.
  private func look() -> (isAwaiting: Bool, complaint: String?) {
    // A peer that has gone silent loses the connection, one that only neglects a request of HTTP/2 loses that.
    guard !patience.isVain else { return (true, nil) }
    let rule = options.timeouts.bodyRule
    switch mode {
    case .detecting, .ended: return (true, nil)
    case .http1(let connection):
      guard connection.isBodyTooSlow(rule) else { return (connection.awaitsBody || !isWritable, nil) }
      counters.cutOff(for: .slowBody)
      return (true, "slow_body")
    case .http2(let server):
      let look = server.look(rule)
      counters.cutOff(look.slowBodies, for: .slowBody)
      counters.cutOff(look.unreadAnswers, for: .unreadAnswer)
      if look.slowBodies > 0 || look.unreadAnswers > 0 { flush() }
      return (look.awaitsPeer || !isWritable, nil)
    }
  }

  private var isWritable: Bool { context?.channel.isWritable ?? false }

  // MARK: Idleness

  private func lookAfterIdleness(every interval: Duration) {
    schedule(\.idle, in: interval) { connection in
      guard let (isIdle, lastRequest) = connection.use else { return }
      guard connection.idleness.isOver(isIdle: isIdle, lastRequest: lastRequest) else {
        return connection.lookAfterIdleness(every: interval)
      }
      connection.note("idle")
      connection.drain()
    }
  }

  /// Whether the connection has no request, and a number that grows with each; `nil` once it has ended.
  private var use: (isIdle: Bool, lastRequest: Int)? {
    switch mode {
    case .detecting, .ended: nil
    case .http1(let connection): (connection.isIdle, connection.partCount)
    case .http2(let server): (server.activeStreams == 0, Int(server.lastRequest))
    }
  }
}
