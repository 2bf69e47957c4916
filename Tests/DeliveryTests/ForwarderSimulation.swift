import Delivery
import Telemetry

/// A lane, its peer and the network between them, played from a seed. Checks after every event what must always hold;
/// broken rules are collected in `faults`.
struct ForwarderSimulation {
  enum Event {
    case batch
    case connected(slot: Int, epoch: Int, up: Bool)
    case closed(slot: Int, epoch: Int)
    case answer(slot: Int, sequence: UInt64, attempt: Int, DeliveryVerdict)
    case wake
    case leaving(slot: Int, epoch: Int)
    case limit(slot: Int, epoch: Int, Int)
    case room(slot: Int, epoch: Int)
  }

  struct Connection {
    var epoch = 0
    var isAsked = false
    var isUp = false
    var isLeaving = false
    var hasRoom = true
    var concurrency = Int.max
    var inFlight: [UInt64: Int] = [:]
  }

  /// What a batch's latest try ended with, from which follows when the next may come.
  struct History {
    var spans: Int
    var enqueuedAt: UInt64
    var retries = 0
    var earliest: UInt64 = 0
    var latest: UInt64 = .max
    var failingSince: UInt64?
    var sentAt: UInt64 = 0
    var accepted: DeliveryVerdict?
  }

  let options: ForwarderOptions
  private(set) var forwarder: Forwarder
  private(set) var random: SeededRandom
  private(set) var now: UInt64 = 0
  private(set) var faults: [String] = []
  private(set) var isDrained: Int?
  /// How often things go wrong; 0 when the world has healed.
  var trouble: Double
  let ledger = SpanLedger()
  let budget = ByteBudget(limit: 1 << 30)
  let capacity: ByteBudget
  private var agenda: [(time: UInt64, order: Int, event: Event)] = []
  private var order = 0
  private var armed: UInt64?
  private var connections: [Connection] = []
  private var commands: [ForwarderCommand] = []
  private var isCarryingOut = false
  private var history: [UInt64: History] = [:]
  private var nextSequence: UInt64 = 0
  /// Since when a batch could have been sent at any time.
  private var roomSince: UInt64?
  private(set) var accepted = 0
  private(set) var refusedBatches = 0
  private(set) var retriesSeen = 0
  private(set) var gaveUp = 0

  init(seed: UInt64) {
    random = SeededRandom(seed)
    let elapsed: Duration = random.chance(0.3) ? .seconds(Int.random(in: 1...40, using: &random)) : .zero
    options = ForwarderOptions(
      connections: Int.random(in: 1...4, using: &random),
      requestsPerConnection: Int.random(in: 1...6, using: &random),
      bytesPerConnection: Int.random(in: 1...1000, using: &random),
      requestTimeout: .seconds(Int.random(in: 1...5, using: &random)),
      retry: RetrySchedule(
        initialInterval: .milliseconds(Int.random(in: 10...2000, using: &random)),
        maxInterval: .seconds(Int.random(in: 2...10, using: &random)), maxElapsedTime: elapsed))
    capacity = ByteBudget(limit: Int.random(in: 100...3000, using: &random))
    forwarder = Forwarder(options, queue: SendingQueue(capacity: capacity), seed: random.next())
    connections = Array(repeating: Connection(), count: options.connections)
    trouble = Double.random(in: 0...0.9, using: &random)
    tell { $0.start(now: $1, into: &$2) }
  }

  /// Lets batches come for a while.
  mutating func schedule(batches: Int, over nanoseconds: UInt64) {
    for _ in 0..<batches { add(.batch, after: UInt64.random(in: 0...nanoseconds, using: &random)) }
  }

  /// Plays until the time has come, or nothing is left to happen.
  mutating func play(until end: UInt64) {
    var steps = 0
    while faults.isEmpty {
      steps += 1
      if steps > 200_000 { faults.append("the lane does not come to rest") }
      let next = agenda.indices.min { (agenda[$0].time, agenda[$0].order) < (agenda[$1].time, agenda[$1].order) }
      guard let next, agenda[next].time <= end else { break }
      let (time, _, event) = agenda.remove(at: next)
      now = max(now, time)
      happen(event, at: time)
      check()
    }
    if end < .max { now = max(now, end) }
  }

  mutating func drain(by deadline: UInt64) { tell { $0.beginDrain(deadline: deadline, now: $1, into: &$2) } }

  mutating func abandon() {
    for settlement in forwarder.abandon() { settle(settlement) }
    check()
  }

  private mutating func add(_ event: Event, after: UInt64) {
    order += 1
    agenda.append((now + after, order, event))
  }

  private mutating func delay(_ most: UInt64) -> UInt64 { UInt64.random(in: 0...most, using: &random) }

  private mutating func tell(_ event: (inout Forwarder, UInt64, inout [ForwarderCommand]) -> Void) {
    event(&forwarder, now, &commands)
    guard !isCarryingOut else { return }
    isCarryingOut = true
    var next = 0
    while next < commands.count {
      carryOut(commands[next])
      next += 1
    }
    commands = []
    isCarryingOut = false
  }

  private mutating func happen(_ event: Event, at time: UInt64) {
    switch event {
    case .batch: takeBatch()
    case .wake:
      guard armed == time else { return }  // Replaced since.
      armed = nil
      tell { $0.timer(now: $1, into: &$2) }
    case .connected(let slot, let epoch, let up):
      guard connections[slot].epoch == epoch else { return }
      up ? connected(slot) : lose(slot)
    case .closed(let slot, let epoch):
      guard connections[slot].epoch == epoch, connections[slot].isUp else { return }
      lose(slot)
    case .leaving(let slot, let epoch):
      guard connections[slot].epoch == epoch, connections[slot].isUp, !connections[slot].isLeaving else { return }
      connections[slot].isLeaving = true
      tell { $0.connectionLeaving(slot: slot, now: $1, into: &$2) }
    case .limit(let slot, let epoch, let concurrency):
      guard connections[slot].epoch == epoch, connections[slot].isUp else { return }
      connections[slot].concurrency = concurrency
      tell { $0.connectionLimit(slot: slot, concurrency: concurrency, now: $1, into: &$2) }
    case .room(let slot, let epoch):
      guard connections[slot].epoch == epoch, connections[slot].isUp else { return }
      connections[slot].hasRoom = true
      tell { $0.connectionRoom(slot: slot, now: $1, into: &$2) }
    case .answer(let slot, let sequence, let attempt, let verdict):
      guard connections[slot].inFlight[sequence] == attempt else { return }
      connections[slot].inFlight[sequence] = nil
      ended(sequence, verdict)
      tell { $0.answered(sequence, slot: slot, verdict, now: $1, into: &$2) }
    }
  }

  private mutating func takeBatch() {
    let batch = Batch(
      payload: Array(repeating: 0, count: Int.random(in: 1...200, using: &random)),
      spanCount: Int.random(in: 1...50, using: &random))
    let force = random.chance(0.1)
    let fits = forwarder.queue.canAccept(batch.byteCount)
    ledger.received(batch.spanCount, by: .otlpGRPC)
    var taken = false
    history[nextSequence] = History(spans: batch.spanCount, enqueuedAt: now)
    ledger.held(batch.spanCount, in: .queue)
    budget.reserveUnchecked(batch.byteCount)
    tell { taken = $0.enqueue(batch, force ? .force : .ifRoom, now: $1, into: &$2) }
    if taken != (force || fits) { faults.append("a batch of \(batch.byteCount) was taken: \(taken)") }
    guard !taken else {
      nextSequence += 1
      accepted += 1
      return
    }
    refusedBatches += 1
    history[nextSequence] = nil
    ledger.held(-batch.spanCount, in: .queue)
    ledger.left(batch.spanCount, as: .rejected)
    budget.release(batch.byteCount)
  }

  private mutating func connected(_ slot: Int) {
    let concurrency = random.chance(0.3) ? Int.random(in: 0...4, using: &random) : .max
    connections[slot].isUp = true
    connections[slot].concurrency = concurrency
    let epoch = connections[slot].epoch
    if random.chance(trouble) { add(.closed(slot: slot, epoch: epoch), after: delay(20 * second)) }
    if random.chance(trouble / 2) { add(.leaving(slot: slot, epoch: epoch), after: delay(10 * second)) }
    if concurrency < 2 { add(.limit(slot: slot, epoch: epoch, 3), after: delay(second)) }
    tell { $0.connectionUp(slot: slot, concurrency: concurrency, now: $1, into: &$2) }
  }

  private mutating func lose(_ slot: Int) {
    for sequence in connections[slot].inFlight.keys { ended(sequence, .lost) }
    connections[slot] = Connection(epoch: connections[slot].epoch + 1)
    tell { $0.connectionDown(slot: slot, now: $1, into: &$2) }
  }

  /// Notes when a batch may be sent next after this end of a try.
  private mutating func ended(_ sequence: UInt64, _ verdict: DeliveryVerdict) {
    guard var entry = history[sequence] else { return faults.append("batch \(sequence) was answered when settled") }
    switch verdict {
    case .delivered, .permanentFailure: entry.accepted = verdict
    case .lost:
      entry.earliest = now
      entry.latest = .max
    case .retry(let peerDelay), .retryRest(_, let peerDelay):
      let interval = options.retry.interval(retry: forwarder.isDraining ? 0 : entry.retries)
      let peer = peerDelay.map { UInt64($0 / .nanoseconds(1)) } ?? 0
      entry.earliest = now + max(interval / 2, peer)
      entry.latest = now + max(interval * 3 / 2 + 1, peer)
      entry.retries += 1
      entry.failingSince = entry.failingSince ?? entry.sentAt
      retriesSeen += 1
    }
    history[sequence] = entry
  }

  private mutating func carryOut(_ command: ForwarderCommand) {
    switch command {
    case .wake(let time):
      if time <= now { faults.append("a wake for the past, \(now - time) ns ago") }
      armed = time
      order += 1
      agenda.append((time, order, .wake))
    case .connect(let slot):
      if connections[slot].isAsked { faults.append("slot \(slot) has a connection already") }
      connections[slot].isAsked = true
      let up = !random.chance(trouble)
      add(.connected(slot: slot, epoch: connections[slot].epoch, up: up), after: delay(second))
    case .close(let slot):
      if !connections[slot].inFlight.isEmpty { faults.append("slot \(slot) is closed under its requests") }
      add(.closed(slot: slot, epoch: connections[slot].epoch), after: 1)
    case .cancel(let slot, let sequence):
      if connections[slot].inFlight.removeValue(forKey: sequence) == nil { faults.append("\(sequence) not in flight") }
      ended(sequence, .retry(after: nil))
      if let entry = history[sequence], now < entry.sentAt + UInt64(options.requestTimeout / .nanoseconds(1)) {
        faults.append("batch \(sequence) timed out too early")
      }
    case .send(let slot, let sequence, let attempt): send(slot, sequence, attempt)
    case .settle(let settlement): settle(settlement)
    case .drained(let left):
      if isDrained != nil { faults.append("drained twice") }
      isDrained = left
    }
  }

  private mutating func send(_ slot: Int, _ sequence: UInt64, _ attempt: Int) {
    guard var entry = history[sequence] else { return faults.append("batch \(sequence) is sent when settled") }
    let connection = connections[slot]
    if !connection.isUp || connection.isLeaving { faults.append("slot \(slot) cannot be sent on") }
    if connections.contains(where: { $0.inFlight[sequence] != nil }) { faults.append("\(sequence) is sent twice") }
    if connection.inFlight.count >= min(options.requestsPerConnection, connection.concurrency) {
      faults.append("slot \(slot) is over its cap")
    }
    if !connection.hasRoom { faults.append("slot \(slot) has no room") }
    if !connection.inFlight.isEmpty, bytes(connection) >= options.bytesPerConnection {
      faults.append("slot \(slot) has too many bytes in flight")
    }
    if now < entry.earliest, !forwarder.isDraining { faults.append("batch \(sequence) is sent too early") }
    if let roomSince, now > max(entry.latest, roomSince) { faults.append("batch \(sequence) is sent too late") }
    entry.sentAt = now
    history[sequence] = entry
    connections[slot].inFlight[sequence] = attempt
    guard let batch = forwarder.batch(sequence), batch.spanCount == entry.spans else {
      return faults.append("\(sequence) has no batch")
    }
    let hasRoom = random.chance(0.5)
    connections[slot].hasRoom = hasRoom
    if !hasRoom { add(.room(slot: slot, epoch: connection.epoch), after: delay(second)) }
    tell { $0.carried(sequence, slot: slot, bytes: batch.byteCount, hasRoom: hasRoom, now: $1, into: &$2) }
    if let (verdict, after) = peersWill(entry.spans) {
      add(.answer(slot: slot, sequence: sequence, attempt: attempt, verdict), after: after)
    }
  }

  private func bytes(_ connection: Connection) -> Int {
    connection.inFlight.keys.reduce(0) { $0 + (forwarder.batch($1)?.byteCount ?? 0) }
  }

  /// The peer's answer and how long it takes; nil for none at all.
  private mutating func peersWill(_ spans: Int) -> (DeliveryVerdict, UInt64)? {
    guard random.chance(trouble) else { return (.delivered(rejected: 0), delay(200 * millisecond)) }
    let after = delay(2 * second)
    switch Int.random(in: 0..<7, using: &random) {
    case 0: return (.delivered(rejected: Int.random(in: 0...spans + 5, using: &random)), after)
    case 1: return (.permanentFailure(code: 3), after)
    case 2: return (.retry(after: .milliseconds(Int.random(in: 0...9000, using: &random))), after)
    case 3: return (.lost, after)
    case 4: return nil
    default: return (.retry(after: nil), after)
    }
  }

  private mutating func settle(_ settlement: Settlement) {
    guard let entry = history.removeValue(forKey: settlement.sequence) else {
      return faults.append("batch \(settlement.sequence) settled twice")
    }
    switch (settlement.cause, entry.accepted) {
    case (.delivered(let rejected), .delivered(let told)) where rejected == min(told, entry.spans): break
    case (.refused(let code), .permanentFailure(let told)) where code == told: break
    case (.abandoned, nil): break
    case (.gaveUp, nil):
      gaveUp += 1
      let limit = UInt64(options.retry.maxElapsedTime / .nanoseconds(1))
      let isConnected = connections.contains { $0.isUp }
      let isRefusedForLong = entry.failingSince.map { entry.latest - $0 > limit } ?? false
      let isStranded = !isConnected && now - (entry.failingSince ?? entry.enqueuedAt) >= limit
      if limit == 0 || !(isRefusedForLong || isStranded) {
        faults.append("batch \(settlement.sequence) was given up too early")
      }
    default:
      faults.append("batch \(settlement.sequence): \(settlement.cause) after \(String(describing: entry.accepted))")
    }
    settlement.book(in: ledger, releasing: budget)
  }

  private mutating func check() {
    let outcomes = Outcome.allCases.reduce(0) { $0 + ledger.left($1) }
    if ledger.received(.otlpGRPC) != outcomes + ledger.held(.queue) { faults.append("spans were lost or made") }
    if ledger.held(.queue) != forwarder.queue.spanCount { faults.append("the queue holds other spans than booked") }
    if budget.used != forwarder.queue.byteCount || capacity.used != budget.used { faults.append("bytes leak") }
    let inFlight = connections.reduce(0) { $0 + $1.inFlight.count }
    let hasRoom = connections.enumerated().contains { slot, connection in
      let most = min(options.requestsPerConnection, connection.concurrency, forwarder.allowance(slot: slot))
      return connection.isUp && !connection.isLeaving && connection.hasRoom && connection.inFlight.count < most
        && (connection.inFlight.isEmpty || bytes(connection) < options.bytesPerConnection)
    }
    roomSince = hasRoom ? roomSince ?? now : nil
    if isDrained == nil, forwarder.inFlightRequests != inFlight { faults.append("requests in flight differ") }
  }
}
