internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import Logging
internal import NIOCore
internal import Telemetry
internal import TraceWire
internal import Transport

/// One exporter on one event loop: carries out what its `Forwarder` decides, on connections of this loop.
final class ExporterLane {
  private let exporter: Exporter
  private let number: Int
  private let loop: any EventLoop
  private var settings: ExporterSettings
  private var forwarder: Forwarder
  private var connections: [UpstreamConnection?]
  /// The stream of each batch in flight, by its sequence.
  private var streams: [UInt64: Int32] = [:]
  /// The slots whose connections have brought an answer.
  private var served: Set<Int> = []
  private var coding: CodingChoice
  private var compressor: Compressor
  private var commands: [ForwarderCommand] = []
  private var isCarryingOut = false
  private var wake: Scheduled<Void>?
  private var lastFailure: String?
  private var drained: EventLoopPromise<Int>?
  private let decompressor = Decompressor()
  /// Told of every settled batch. Where there is a listener, a drain leaves what it could not send to it.
  var onSettled: ((Settlement) -> Void)?

  init(_ exporter: Exporter, number: Int, loop: any EventLoop, seed: UInt64) {
    self.exporter = exporter
    self.number = number
    self.loop = loop
    settings = exporter.settings
    forwarder = Forwarder(
      settings.options, queue: SendingQueue(lane: UInt32(number), capacity: exporter.counters.capacity), seed: seed)
    connections = Array(repeating: nil, count: settings.options.connections)
    coding = CodingChoice(settings.export.coding)
    compressor = Compressor(settings.export.coding)
  }

  var isFull: Bool { forwarder.queue.isFull }
  func canAccept(_ byteCount: Int) -> Bool { forwarder.queue.canAccept(byteCount) }
  /// Bytes of this lane's queue.
  var queuedBytes: Int { forwarder.queue.byteCount }
  /// Whether a batch is better compressed before it waits: it is to be sent so anyway, or it will wait for long.
  var wantsCompressed: Bool { coding.current == .zstd || forwarder.queue.count >= Self.longQueue }

  /// Batches from which on a queue is long.
  private static let longQueue = 16

  /// Connects.
  func start() { drive { forwarder, now, commands in forwarder.start(now: now, into: &commands) } }

  /// Takes over a batch whose spans were acknowledged. Its bytes are charged to the queue unless the fan-out did that.
  func enqueue(_ batch: Batch) {
    drive { forwarder, now, commands in
      _ = forwarder.enqueue(batch, batch.handedOn == nil ? .force : .charged, now: now, into: &commands)
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
    if isElsewhere || new.export.coding != old.export.coding {
      coding = CodingChoice(new.export.coding)
      if compressor.coding != coding.current { compressor = Compressor(coding.current) }
    }
    if isElsewhere { lastFailure = nil }
    while connections.count < new.options.connections { connections.append(nil) }
    drive { forwarder, now, commands in
      forwarder.reconfigure(new.options, now: now, into: &commands)
      if isElsewhere { forwarder.renewConnections(now: now, into: &commands) }
    }
  }

  /// Ends every connection.
  func close() {
    wake?.cancel()
    for connection in connections { connection?.close() }
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

  /// Closes a connection that is left over: its peer goes away, or the configuration wants fewer.
  private func close(_ slot: Int) {
    guard let connection = connections[slot] else { return }
    if connection.isGoingAway { connection.close(because: .goingAway) } else { connection.close() }
  }

  private func connect(_ slot: Int) {
    let connection = UpstreamConnection(settings.target, limits: settings.http2)
    connections[slot] = connection
    connection.onUp = { [weak self] in
      guard let self else { return }
      if lastFailure != nil, exporter.isNews(nil) {
        exporter.logger.notice("connected again", metadata: exporter.metadata)
      }
      lastFailure = nil
      coding.connected()
      drive { forwarder, now, commands in
        forwarder.connectionUp(slot: slot, concurrency: connection.concurrencyMax, now: now, into: &commands)
      }
    }
    connection.onCapacityChange = { [weak self] in
      self?.drive { forwarder, now, commands in
        if connection.isGoingAway {
          forwarder.connectionLeaving(slot: slot, now: now, into: &commands)
        } else {
          forwarder.connectionLimit(slot: slot, concurrency: connection.concurrencyMax, now: now, into: &commands)
        }
      }
    }
    connection.onDown = { [weak self] failure in
      guard let self else { return }
      connections[slot] = nil
      if failure.label != "closed_here" { exporter.counters.connectionClosed(for: failure.label) }
      // Servers send their clients elsewhere from time to time; what is wrong is to do nothing else.
      if served.remove(slot) == nil || failure != .goingAway { report(failure) }
      drive { forwarder, now, commands in forwarder.connectionDown(slot: slot, now: now, into: &commands) }
    }
    connection.open(on: loop)
  }

  /// Logs the first of a row of like failures. A connection that this side closes is none.
  private func report(_ failure: UpstreamFailure) {
    guard failure.message != lastFailure, failure.label != "closed_here", !forwarder.isDraining else { return }
    lastFailure = failure.message
    guard exporter.isNews(failure.message) else { return }
    var metadata = exporter.metadata
    metadata["reason"] = "\(failure.message)"
    exporter.logger.warning("no connection; spans are held", metadata: metadata)
  }

  private func send(_ sequence: UInt64, _ slot: Int, _ attempt: Int) {
    guard let batch = forwarder.batch(sequence), let request = settings.requests[compressor.coding] else { return }
    let used = compressor.coding
    guard let (prefix, body) = settings.export.message(batch, compressor, decompressor) else {
      return settle(sequence, slot, .permanentFailure(code: GRPCStatusCode.dataLoss.rawValue))
    }
    let stream = connections[slot]?.submit(request.naming(batch), prefix: prefix, body: body) { [weak self] result in
      self?.answered(sequence, slot, OTLPExport.answer(result), to: used)
    }
    if let stream {
      streams[sequence] = stream
      exporter.counters.sent(bytes: prefix.count + body.count, attempt: attempt)
    } else {
      settle(sequence, slot, .lost)
    }
  }

  private func answered(_ sequence: UInt64, _ slot: Int, _ answer: DeliveryAnswer, to used: ContentCoding) {
    guard streams.removeValue(forKey: sequence) != nil else { return }
    exporter.counters.answered(answer)
    if case .failed = answer {} else { served.insert(slot) }
    guard coding.isToBlame(for: answer, to: used) else { return settle(sequence, slot, answer.verdict) }
    if compressor.coding != coding.current {
      compressor = Compressor(coding.current)
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
    guard let stream = streams.removeValue(forKey: sequence), let connection = connections[slot] else { return }
    exporter.counters.answered(.failed(.timeout))
    connection.cancel(stream)
    let silence = NIODeadline.now().uptimeNanoseconds &- connection.lastReceived
    guard silence >= UInt64(clamping: settings.options.requestTimeout.nanosecondsClamped) else { return }
    connection.close(because: UpstreamFailure(label: "silent", message: "no sign of life within the request timeout"))
  }

  private func settle(_ settlement: Settlement) {
    exporter.counters.settled(settlement)
    settlement.book(in: exporter.ledger, releasing: exporter.budget)
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
