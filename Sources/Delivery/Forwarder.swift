/// One lane towards one destination: some connections, a queue, and what is to happen next.
///
/// It is told events and appends commands, to be carried out in order after the event returns; carrying one out may
/// lead to the next event. Batches go out oldest first on the connection with the fewest requests in flight, and one
/// after the other: none before the connection has taken the last, so that a link holds what fits on it and the rest
/// waits in the queue. No failure of a connection by itself loses a batch; only the peer's word ends one, or
/// `max_elapsed_time` without its answer.
public struct Forwarder: Sendable {
  public private(set) var options: ForwarderOptions
  public private(set) var queue: SendingQueue
  private var slots: [ConnectionSlot] = []
  private var jitter: Jitter
  private var armedWake = UInt64.max
  private var drainDeadline: UInt64?
  private var drainedTold = false
  /// Since when no peer has been reached; kept over connections that come up and answer nothing.
  private var unreachableSince: UInt64?
  /// When batches are next looked through for such as `max_elapsed_time` ends; only while no peer is reached.
  private var nextExpiry = UInt64.max

  /// Makes a forwarder without connections; `start` asks for them.
  /// - Parameter seed: different for each lane, so that lanes do not retry in step.
  public init(_ options: ForwarderOptions, queue: SendingQueue, seed: UInt64) {
    self.options = options
    self.queue = queue
    jitter = Jitter(seed: seed)
  }

  /// The batch to be sent; nil once it is settled.
  public func batch(_ sequence: UInt64) -> Batch? { queue[sequence]?.batch }
  /// Requests sent and not answered.
  public var inFlightRequests: Int { slots.reduce(0) { $0 + $1.inFlight.count } }
  /// Requests that a slot's connection may have in flight where answers came too late; the configured number and the
  /// peer's hold besides.
  public func allowance(slot: Int) -> Int { slots.indices.contains(slot) ? slots[slot].allowance.limit : .max }
  /// Whether a batch that comes now is sent at once, as far as connections are concerned.
  public var hasRoom: Bool { roomiestSlot() != nil }
  /// Connections that are up.
  public var readyConnections: Int { slots.reduce(0) { $0 + ($1.state == .ready ? 1 : 0) } }
  /// Whether `beginDrain` was called.
  public var isDraining: Bool { drainDeadline != nil }

  // MARK: Events

  /// Asks for the first connections.
  public mutating func start(now: UInt64, into commands: inout [ForwarderCommand]) {
    addSlots(now)
    proceed(now, &commands)
  }

  /// Takes a batch over; false where the queue had no room and `admission` did not insist.
  public mutating func enqueue(
    _ batch: Batch, _ admission: SendingQueue.Admission, now: UInt64, into commands: inout [ForwarderCommand]
  ) -> Bool {
    guard queue.enqueue(batch, admission, now: now) != nil else { return false }
    drainedTold = false
    if unreachableSince != nil { nextExpiry = min(nextExpiry, expiry(of: now)) }
    proceed(now, &commands)
    return true
  }

  /// A connection is made and may carry requests, at most `concurrency` at once (the peer's SETTINGS).
  public mutating func connectionUp(
    slot: Int, concurrency: Int = .max, now: UInt64, into commands: inout [ForwarderCommand]
  ) {
    guard slots.indices.contains(slot), slots[slot].state == .connecting else { return }
    slots[slot].state = slots[slot].isRetired || slots[slot].isReplaced ? .leaving : .ready
    slots[slot].peerConcurrency = max(0, concurrency)
    slots[slot].isProven = false
    slots[slot].hasRoom = true
    closeIfLeft(slot, &commands)
    proceed(now, &commands)
  }

  /// The peer allows another number of requests at once.
  public mutating func connectionLimit(
    slot: Int, concurrency: Int, now: UInt64, into commands: inout [ForwarderCommand]
  ) {
    guard slots.indices.contains(slot) else { return }
    slots[slot].peerConcurrency = max(0, concurrency)
    proceed(now, &commands)
  }

  /// A batch was given to its connection, as so many bytes. Without room the next one waits for `connectionRoom`.
  public mutating func carried(
    _ sequence: UInt64, slot: Int, bytes: Int, hasRoom: Bool, now: UInt64, into commands: inout [ForwarderCommand]
  ) {
    guard slots.indices.contains(slot) else { return }
    slots[slot].weigh(sequence, bytes: bytes)
    slots[slot].hasRoom = hasRoom
    if hasRoom { proceed(now, &commands) }
  }

  /// What the connection was given has left, as far as its peer lets it.
  public mutating func connectionRoom(slot: Int, now: UInt64, into commands: inout [ForwarderCommand]) {
    guard slots.indices.contains(slot) else { return }
    slots[slot].hasRoom = true
    proceed(now, &commands)
  }

  /// The connection takes no new requests (GOAWAY, or it is to be replaced); those in flight may still be answered.
  public mutating func connectionLeaving(slot: Int, now: UInt64, into commands: inout [ForwarderCommand]) {
    guard slots.indices.contains(slot), slots[slot].state == .ready else { return }
    slots[slot].state = .leaving
    closeIfLeft(slot, &commands)
    proceed(now, &commands)
  }

  /// There is no connection: it was not made, its TLS failed, or it closed. What was in flight on it is sent again.
  public mutating func connectionDown(slot: Int, now: UInt64, into commands: inout [ForwarderCommand]) {
    guard slots.indices.contains(slot) else { return }
    if case .down = slots[slot].state { return }
    let inFlight = slots[slot].removeAll()
    var wait: UInt64 = 0
    if slots[slot].isProven || slots[slot].isReplaced {
      slots[slot].failures = 0
    } else {
      wait = options.reconnect.delay(retry: isDraining ? 0 : slots[slot].failures, jitter: jitter.next())
      slots[slot].failures += 1
    }
    slots[slot].isProven = false
    slots[slot].isReplaced = false
    slots[slot].state = .down(until: now.later(by: wait))
    for request in inFlight { resolve(request.sequence, .lost, now, &commands) }
    nextExpiry = min(nextExpiry, expiry(of: 0))
    proceed(now, &commands)
  }

  /// The peer closed a connection that was not used, as servers of HTTP/1.1 do after a while. Another one is made when
  /// there is something to send.
  public mutating func connectionRests(slot: Int, now: UInt64, into commands: inout [ForwarderCommand]) {
    guard slots.indices.contains(slot) else { return }
    guard queue.isEmpty, slots[slot].state == .ready || slots[slot].state == .leaving else {
      return connectionDown(slot: slot, now: now, into: &commands)
    }
    slots[slot].failures = 0
    slots[slot].isProven = false
    slots[slot].isReplaced = false
    slots[slot].state = .resting
    proceed(now, &commands)
  }

  /// A request ended. Of no effect unless that batch is in flight on that slot.
  public mutating func answered(
    _ sequence: UInt64, slot: Int, _ verdict: DeliveryVerdict, now: UInt64, into commands: inout [ForwarderCommand]
  ) {
    guard slots.indices.contains(slot), let request = slots[slot].remove(sequence) else { return }
    if verdict != .lost {
      // By the time that a request has as a rule: one that had more says nothing of the link's room.
      let time = options.requestTimeout.nanoseconds
      slots[slot].allowance.answered(left: time.since(now.since(request.sentAt)), of: time)
      slots[slot].isProven = true
      unreachableSince = nil
    }
    resolve(sequence, verdict, now, &commands)
    closeIfLeft(slot, &commands)
    proceed(now, &commands)
  }

  /// The time asked for by `wake` has come (or any other: too early or too often does no harm).
  public mutating func timer(now: UInt64, into commands: inout [ForwarderCommand]) {
    if now >= armedWake { armedWake = .max }
    for slot in slots.indices {
      let late = slots[slot].inFlight.filter { $0.deadline <= now }
      for request in late {
        slots[slot].allowance.timedOut(of: slots[slot].inFlight.count)
        _ = slots[slot].remove(request.sequence)
        commands.append(.cancel(slot: slot, sequence: request.sequence))
        queue.timedOut(request.sequence)
        resolve(request.sequence, .retry(after: nil), now, &commands)
      }
      if !late.isEmpty { closeIfLeft(slot, &commands) }
    }
    proceed(now, &commands)
  }

  /// Shutdown: what is held is tried until the deadline, without waits that only we wished for; then `drained` tells.
  /// To be called when nothing more comes, or it tells too early (and again after each batch that still came).
  public mutating func beginDrain(deadline: UInt64, now: UInt64, into commands: inout [ForwarderCommand]) {
    drainDeadline = deadline
    drainedTold = false
    queue.hurry(now)
    for slot in slots.indices {
      if case .down(let until) = slots[slot].state, until > now { slots[slot].state = .down(until: now) }
    }
    proceed(now, &commands)
  }

  /// Gives up everything that is held. To be booked like other settlements.
  public mutating func abandon() -> [Settlement] {
    for slot in slots.indices { _ = slots[slot].removeAll() }
    return queue.settleAll().map { Settlement(sequence: $0.sequence, batch: $0.batch, cause: .abandoned) }
  }

  /// A reload. Connections beyond the new number leave; the others stay as they are.
  public mutating func reconfigure(
    _ newOptions: ForwarderOptions, now: UInt64, into commands: inout [ForwarderCommand]
  ) {
    options = newOptions
    nextExpiry = expiry(of: 0)
    addSlots(now)
    for slot in slots.indices {
      slots[slot].isRetired = slot >= newOptions.connections
      if slots[slot].isRetired, slots[slot].state == .ready {
        slots[slot].state = .leaving
        closeIfLeft(slot, &commands)
      }
    }
    proceed(now, &commands)
  }

  /// A reload that changes where connections lead. Those that are up finish what is in flight and leave, and what
  /// follows them goes to the new place at once.
  public mutating func renewConnections(now: UInt64, into commands: inout [ForwarderCommand]) {
    for slot in slots.indices {
      slots[slot].failures = 0
      switch slots[slot].state {
      case .down: slots[slot].state = .down(until: now)
      case .resting: break
      case .connecting:
        slots[slot].isReplaced = true
        commands.append(.close(slot: slot))
      case .ready:
        slots[slot].isReplaced = true
        slots[slot].state = .leaving
        closeIfLeft(slot, &commands)
      case .leaving: slots[slot].isReplaced = true
      }
    }
    proceed(now, &commands)
  }

  // MARK: Decisions

  private mutating func addSlots(_ now: UInt64) {
    while slots.count < options.connections { slots.append(ConnectionSlot(connectAt: now)) }
  }

  /// Books a try's end with the batch, which is in flight nowhere any more.
  private mutating func resolve(
    _ sequence: UInt64, _ verdict: DeliveryVerdict, _ now: UInt64, _ commands: inout [ForwarderCommand]
  ) {
    guard var unit = queue[sequence] else { return }
    switch verdict {
    case .delivered(let rejected): settle(sequence, .delivered(rejected: rejected), &commands)
    case .permanentFailure(let code): settle(sequence, .refused(code: code), &commands)
    case .lost:
      let delay = options.resend.delay(retry: isDraining ? 0 : unit.losses, jitter: jitter.next())
      unit.losses += 1
      queue.postpone(unit, until: now.later(by: delay))
    case .retry(let peerDelay): tryAgain(&unit, after: peerDelay, now, &commands)
    case .retryRest(let progress, let peerDelay):
      queue.progressed(sequence, progress)
      unit.batch.progress = progress
      tryAgain(&unit, after: peerDelay, now, &commands)
    }
  }

  private mutating func tryAgain(
    _ unit: inout DeliveryUnit, after peerDelay: Duration?, _ now: UInt64, _ commands: inout [ForwarderCommand]
  ) {
    let since = unit.failingSince ?? unit.sentAt
    let delay = options.retry.next(
      retry: isDraining ? 0 : unit.retries, elapsed: now.since(since), peerDelay: peerDelay, jitter: jitter.next())
    guard let delay else { return settle(unit.sequence, .gaveUp, &commands) }
    unit.retries += 1
    unit.failingSince = since
    unit.notBefore = peerDelay.map { now.later(by: min($0, RetrySchedule.peerDelayMax).nanoseconds) } ?? 0
    queue.postpone(unit, until: now.later(by: delay))
  }

  private mutating func settle(
    _ sequence: UInt64, _ cause: Settlement.Cause, _ commands: inout [ForwarderCommand]
  ) {
    guard let batch = queue.settle(sequence) else { return }
    commands.append(.settle(Settlement(sequence: sequence, batch: batch, cause: cause)))
  }

  private func closeIfLeft(_ slot: Int, _ commands: inout [ForwarderCommand]) {
    if slots[slot].state == .leaving, slots[slot].inFlight.isEmpty { commands.append(.close(slot: slot)) }
  }

  /// Does whatever can be done now, and asks to be woken for the rest.
  private mutating func proceed(_ now: UInt64, _ commands: inout [ForwarderCommand]) {
    for slot in slots.indices where !slots[slot].isRetired {
      switch slots[slot].state {
      case .down(let until) where until <= now: break
      case .resting where !queue.isEmpty: break
      default: continue
      }
      slots[slot].state = .connecting
      commands.append(.connect(slot: slot))
    }
    send(now, &commands)
    giveUpUnreachable(now, &commands)
    if let drainDeadline, !drainedTold, queue.isEmpty || now >= drainDeadline {
      drainedTold = true
      commands.append(.drained(left: queue.count))
    }
    let wake = nextWake
    if wake < armedWake {
      armedWake = wake
      commands.append(.wake(at: wake))
    }
  }

  /// Whether there is a connection, be it one that takes no new requests.
  private var isConnected: Bool { slots.contains { $0.state == .ready || $0.state == .leaving } }

  /// When what failed at a time is given up.
  private func expiry(of time: UInt64) -> UInt64 {
    let limit = options.retry.maxElapsedTime.nanoseconds
    return limit > 0 ? time.later(by: limit) : .max
  }

  /// Without a connection nothing is tried, so nothing fails; yet `max_elapsed_time` counts, as for a call that fails.
  private mutating func giveUpUnreachable(_ now: UInt64, _ commands: inout [ForwarderCommand]) {
    guard !isConnected else { return }
    let since = unreachableSince ?? now
    unreachableSince = since
    guard nextExpiry <= now else { return }
    let failing = queue.failing(for: options.retry.maxElapsedTime.nanoseconds, unreachableSince: since, now: now)
    nextExpiry = failing.nextAt
    for sequence in failing.sequences { settle(sequence, .gaveUp, &commands) }
  }

  private mutating func send(_ now: UInt64, _ commands: inout [ForwarderCommand]) {
    while let slot = roomiestSlot(), let sequence = queue.nextToSend(now) {
      let deadline = now.later(by: timeout(of: sequence))
      let attempt = queue.sent(sequence, slot: slot, now: now, deadline: deadline)
      let bytes = queue[sequence]?.batch.byteCount ?? 0
      slots[slot].add(ConnectionSlot.InFlight(sequence: sequence, bytes: bytes, sentAt: now, deadline: deadline))
      slots[slot].hasRoom = false
      commands.append(.send(slot: slot, sequence: sequence, attempt: attempt))
    }
  }

  /// A batch whose time was up gets twice as much the next time, up to eight times: one that is large for its link would
  /// otherwise never arrive.
  private func timeout(of sequence: UInt64) -> UInt64 {
    let timeouts = min(queue[sequence]?.timeouts ?? 0, 3)
    let (time, overflow) = options.requestTimeout.nanoseconds.multipliedReportingOverflow(by: 1 << UInt64(timeouts))
    return overflow ? .max : time
  }

  /// The connection with room that has the fewest requests in flight.
  private func roomiestSlot() -> Int? {
    var best: Int?
    for slot in slots.indices where slots[slot].mayCarry(options) {
      if let current = best, slots[current].inFlight.count <= slots[slot].inFlight.count { continue }
      best = slot
    }
    return best
  }

  private var nextWake: UInt64 {
    var wake = UInt64.max
    for slot in slots {
      if case .down(let until) = slot.state, !slot.isRetired { wake = min(wake, until) }
      for request in slot.inFlight { wake = min(wake, request.deadline) }
    }
    // Without room nothing can be sent when it is due: the event that makes room will see to it.
    if roomiestSlot() != nil, let due = queue.nextDue { wake = min(wake, due) }
    if let drainDeadline, !drainedTold { wake = min(wake, drainDeadline) }
    if !isConnected { wake = min(wake, nextExpiry) }
    return wake
  }
}
