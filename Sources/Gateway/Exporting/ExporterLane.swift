internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import Logging
internal import NIOCore
internal import Telemetry
internal import TraceWire
internal import Transport

/// One exporter on one event loop: carries out what its `Forwarder` decides, on links of this loop.
final class ExporterLane {
  private let exporter: Exporter
  private let number: Int
  private let loop: any EventLoop
  private var settings: ExporterSettings
  private var forwarder: Forwarder
  private var links: [(any ExporterLink)?]
  /// The batches in flight, by their sequences.
  private var flights = Flights()
  /// The slots whose connections have brought an answer.
  private var served: Set<Int> = []
  private var coding: CodingChoice
  private let coder = MessageCoder()
  private let translator: Translator
  private var commands: [ForwarderCommand] = []
  private var isCarryingOut = false
  private var wake: Scheduled<Void>?
  private var lastFailure: String?
  private var drained: EventLoopPromise<Int>?
  /// Told of every settled batch. Where there is a listener, a drain leaves what it could not send to it.
  var onSettled: ((Settlement) -> Void)?

  /// A lane that is not connected; what takes long is done on `bulk`.
  init(_ exporter: Exporter, number: Int, loop: any EventLoop, bulk: any EventLoop, seed: UInt64) {
    self.exporter = exporter
    self.number = number
    self.loop = loop
    settings = exporter.settings
    forwarder = Forwarder(
      settings.options, queue: SendingQueue(lane: UInt32(number), capacity: exporter.counters.capacity), seed: seed)
    links = Array(repeating: nil, count: settings.options.connections)
    coding = CodingChoice(settings.dialect.coding)
    translator = Translator(on: bulk, of: loop)
  }

  /// What the exporter counts, and its queue's size.
  var counters: ExporterCounters { exporter.counters }
  var isFull: Bool { forwarder.queue.isFull }
  func canAccept(_ byteCount: Int) -> Bool { forwarder.queue.canAccept(byteCount) }
  /// Bytes of this lane's queue.
  var queuedBytes: Int { forwarder.queue.byteCount }
  /// Whether batches are sent as one zstd frame.
  var sendsZstd: Bool { coding.current == .zstd }
  /// Whether batches are better compressed for the time they wait: there is no room for them on the way, and those
  /// before them take much memory.
  var isLong: Bool { forwarder.queue.byteCount >= Self.longQueueBytes && !forwarder.hasRoom }

  /// Bytes from which on a queue is long.
  private static let longQueueBytes = 6 << 20

  /// Connects.
  func start() { drive { forwarder, now, commands in forwarder.start(now: now, into: &commands) } }

  /// Takes over a batch whose spans were acknowledged. Its bytes are charged to the queue unless the fan-out did that.
  func enqueue(_ batch: Batch) { enqueue(batch, batch.handedOn == nil ? .force : .charged) }

  /// Takes over a batch whose bytes were charged to the queue.
  func enqueueCharged(_ batch: Batch) { enqueue(batch, .charged) }

  private func enqueue(_ batch: Batch, _ admission: SendingQueue.Admission) {
    drive { forwarder, now, commands in
      _ = forwarder.enqueue(batch, admission, now: now, into: &commands)
    }
  }

  /// Tries what is held until the deadline; the future tells the number of spans that had to be abandoned.
  func beginDrain(until deadline: UInt64) -> EventLoopFuture<Int> {
    let promise = loop.makePromise(of: Int.self)
    drained = promise
    drive { forwarder, now, commands in forwarder.beginDrain(deadline: deadline, now: now, into: &commands) }
    return promise.futureResult
  }

  /// Puts other settings in force. Where they lead elsewhere, the connections finish what is in flight on them and
  /// others take over; what is held goes there.
  func adopt(_ new: ExporterSettings) {
    let old = settings
    settings = new
    let isElsewhere = !new.leadsToSamePlace(as: old)
    if isElsewhere || new.dialect.coding != old.dialect.coding { coding = CodingChoice(new.dialect.coding) }
    if isElsewhere { lastFailure = nil }
    while links.count < new.options.connections { links.append(nil) }
    drive { forwarder, now, commands in
      forwarder.reconfigure(new.options, now: now, into: &commands)
      if isElsewhere { forwarder.renewConnections(now: now, into: &commands) }
    }
  }

  /// Ends every connection.
  func close() {
    wake?.cancel()
    for link in links { link?.close(because: .closedHere) }
  }

  // MARK: Carrying out

  /// Tells the forwarder an event and carries out what it wants, and what that leads to.
  private func drive(_ event: (inout Forwarder, UInt64, inout [ForwarderCommand]) -> Void) {
    event(&forwarder, NIODeadline.now().uptimeNanoseconds, &commands)
    guard !isCarryingOut else { return }
    isCarryingOut = true
    var next = 0
    while next < commands.count {
      carryOut(commands[next])
      next += 1
    }
    commands.removeAll(keepingCapacity: true)
    isCarryingOut = false
    exporter.counters.publish(forwarder, lane: number)
  }

  private func carryOut(_ command: ForwarderCommand) {
    switch command {
    case .connect(let slot): connect(slot)
    case .send(let slot, let sequence, let attempt): send(sequence, slot, attempt)
    case .cancel(let slot, let sequence): giveUp(sequence, slot)
    case .close(let slot): close(slot)
    case .settle(let settlement): settle(settlement)
    case .wake(let time): schedule(time)
    case .drained: finishDrain()
    }
  }

  /// Closes a link that is left over: its peer goes away, or the configuration wants fewer.
  private func close(_ slot: Int) {
    guard let link = links[slot] else { return }
    link.close(because: link.isGoingAway ? .goingAway : .closedHere)
  }

  private func makeLink() -> any ExporterLink {
    switch settings.destination {
    case .server(let target): UpstreamConnection(target, limits: settings.http2)
    case .file(let file): FileLink(file, on: translator.bulk)
    case .log: LogLink(exporter.logger, ["exporter": "\(exporter.name)"])
    }
  }

  private func connect(_ slot: Int) {
    let link = makeLink()
    links[slot] = link
    link.onUp = { [weak self, unowned link] in
      guard let self else { return }
      if lastFailure != nil, exporter.isNews(nil) {
        exporter.logger.notice("connected again", metadata: exporter.metadata)
      }
      lastFailure = nil
      coding.connected()
      drive { forwarder, now, commands in
        forwarder.connectionUp(slot: slot, concurrency: link.concurrencyMax, now: now, into: &commands)
      }
    }
    link.onCapacityChange = { [weak self, unowned link] in
      self?.drive { forwarder, now, commands in
        if link.isGoingAway {
          forwarder.connectionLeaving(slot: slot, now: now, into: &commands)
        } else {
          forwarder.connectionLimit(slot: slot, concurrency: link.concurrencyMax, now: now, into: &commands)
        }
      }
    }
    link.onRoom = { [weak self] in
      self?.drive { forwarder, now, commands in forwarder.connectionRoom(slot: slot, now: now, into: &commands) }
    }
    link.onDown = { [weak self] failure in self?.down(slot, failure) }
    link.open(on: loop)
  }

  private func down(_ slot: Int, _ failure: UpstreamFailure) {
    links[slot] = nil
    let left = flights.leave(slot)
    exporter.budget.release(left)
    let isRest = failure == .idle
    if failure != .closedHere, !isRest { exporter.counters.connectionClosed(for: failure.label) }
    // Servers send their clients elsewhere from time to time; what is wrong is to do nothing else.
    let hasServed = served.remove(slot) != nil
    if !isRest, !hasServed || failure != .goingAway { report(failure) }
    drive { forwarder, now, commands in
      if isRest {
        forwarder.connectionRests(slot: slot, now: now, into: &commands)
      } else {
        forwarder.connectionDown(slot: slot, now: now, into: &commands)
      }
    }
  }

  /// Logs the first of a row of like failures. A connection that this side closes is none.
  private func report(_ failure: UpstreamFailure) {
    guard failure.message != lastFailure, failure != .closedHere, !forwarder.isDraining else { return }
    lastFailure = failure.message
    guard exporter.isNews(failure.message) else { return }
    var metadata = exporter.metadata
    metadata["reason"] = "\(failure.message)"
    exporter.logger.warning("no connection; spans are held", metadata: metadata)
  }

  /// Makes a batch's message and sends it; what has to be translated is so on another thread, while others may be sent.
  private func send(_ sequence: UInt64, _ slot: Int, _ attempt: Int) {
    guard let batch = forwarder.batch(sequence) else { return }
    let (dialect, used) = (settings.dialect, coding.current)
    let flight = flights.begin(sequence, Flight(slot: slot, attempt: attempt, coding: used))
    guard dialect.translates else {
      let message = dialect.message(batch, used, coder)
      carry(message, sequence, flight, isCopy: !batch.isReady(for: used))
      return carried(sequence, slot, message?.byteCount ?? 0)
    }
    translator.translate(batch, dialect, used) { [weak self] message in
      self?.carry(message, sequence, flight, isCopy: true)
    }
    carried(sequence, slot, batch.byteCount)
  }

  /// Says that a batch is on its way, and whether another may follow.
  private func carried(_ sequence: UInt64, _ slot: Int, _ bytes: Int) {
    let hasRoom = links[slot]?.askForRoom() ?? true
    drive { forwarder, now, commands in
      forwarder.carried(sequence, slot: slot, bytes: bytes, hasRoom: hasRoom, now: now, into: &commands)
    }
  }

  private func carry(_ message: ExportMessage?, _ sequence: UInt64, _ flight: Flight, isCopy: Bool) {
    let slot = flight.slot
    let copied = isCopy ? message?.byteCount ?? 0 : 0
    guard flights.charge(sequence, flight, copied) else { return }
    exporter.budget.reserveUnchecked(copied)
    let stream = message.flatMap { message in
      links[slot]?.carry(message) { [weak self] in
        guard let self else { return }
        exporter.budget.release(flights.sent(sequence, flight))
      } completion: { [weak self] result in
        self?.answered(sequence, slot, result)
      }
    }
    guard let message, let stream else {
      // It may have ended with its link while it was being sent.
      guard let ended = flights.end(sequence, slot: slot) else { return }
      exporter.budget.release(ended.chargedBytes)
      return settle(
        sequence, slot, message == nil ? .permanentFailure(code: GRPCStatusCode.dataLoss.rawValue) : .lost)
    }
    flights.launched(sequence, flight, stream: stream)
    exporter.counters.sent(bytes: message.byteCount, attempt: flight.attempt)
  }

  private func answered(_ sequence: UInt64, _ slot: Int, _ result: Result<ClientResponse, ClientFailure>) {
    guard let flight = flights.end(sequence, slot: slot) else { return }
    exporter.budget.release(flight.chargedBytes)
    guard let batch = forwarder.batch(sequence) else { return }
    let judgement = settings.dialect.judge(result, batch)
    exporter.counters.answered(judgement.answer)
    if case .failed = judgement.answer {} else { served.insert(slot) }
    if let complaint = judgement.complaint {
      var metadata = exporter.metadata
      metadata["error"] = "\(complaint)"
      exporter.logger.warning("the destination refuses some spans", metadata: metadata)
    }
    let before = coding.current
    guard coding.isToBlame(for: judgement.answer, to: flight.coding) else {
      return settle(sequence, slot, judgement.verdict)
    }
    if coding.current != before {
      var metadata = exporter.metadata
      metadata["compression"] = "\(coding.current.token)"
      exporter.logger.warning("the destination does not know the compression; using another", metadata: metadata)
    }
    settle(sequence, slot, .lost)
  }

  private func settle(_ sequence: UInt64, _ slot: Int, _ verdict: DeliveryVerdict) {
    drive { forwarder, now, commands in
      forwarder.answered(sequence, slot: slot, verdict, now: now, into: &commands)
    }
  }

  /// A request's time is up. A connection that brought nothing in all that time is dead: the next may get through.
  private func giveUp(_ sequence: UInt64, _ slot: Int) {
    guard let flight = flights.end(sequence, slot: slot) else { return }
    exporter.budget.release(flight.chargedBytes)
    exporter.counters.answered(.failed(.timeout))
    guard let stream = flight.stream, let link = links[slot] else { return }
    let silence = NIODeadline.now().uptimeNanoseconds &- link.lastReceived
    link.cancel(stream)
    guard silence >= UInt64(clamping: settings.options.requestTimeout.nanosecondsClamped) else { return }
    link.close(because: UpstreamFailure(label: "silent", message: "no sign of life within the request timeout"))
  }

  private func settle(_ settlement: Settlement) {
    exporter.counters.settled(settlement)
    if let ledger = exporter.ledger {
      settlement.book(in: ledger, releasing: exporter.budget)
    } else {
      exporter.budget.release(settlement.batch.byteCount)
    }
    onSettled?(settlement)
    guard settlement.undeliverable > 0, settlement.cause != .abandoned else { return }
    var metadata = exporter.metadata
    metadata["spans"] = "\(settlement.undeliverable)"
    metadata["cause"] = "\(settlement.cause)"
    exporter.logger.warning("spans could not be delivered", metadata: metadata)
  }

  private func schedule(_ time: UInt64) {
    wake?.cancel()
    wake = loop.assumeIsolated().scheduleTask(deadline: .uptimeNanoseconds(time)) { [weak self] in
      self?.drive { forwarder, now, commands in forwarder.timer(now: now, into: &commands) }
    }
  }

  private func finishDrain() {
    guard let promise = drained else { return }
    drained = nil
    guard onSettled == nil else { return promise.succeed(0) }
    let left = forwarder.abandon()
    for settlement in left { settle(settlement) }
    promise.succeed(left.reduce(0) { $0 + $1.undeliverable })
  }
}
