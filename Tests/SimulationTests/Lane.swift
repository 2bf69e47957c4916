import Delivery
import Telemetry

/// One exporter's lane: does what its forwarder decides, over a path.
final class Lane {
  private struct Slot {
    var epoch = 0
    var isUp = false
    /// Batches in flight by the number of their try.
    var inFlight: [UInt64: Int] = [:]
  }

  private let world: World
  private let path: Path
  private var forwarder: Forwarder
  private var slots: [Slot]
  private var wake = 0
  /// The identity of the batch that was taken in as the n-th.
  private let identity: (UInt64) -> BatchIdentity?
  var onSettle: (Settlement) -> Void = { _ in }
  private var isDead = false
  private var commands: [ForwarderCommand] = []
  private var isCarryingOut = false
  private(set) var resends = 0

  init(
    _ world: World, to path: Path, options: ForwarderOptions, capacity: ByteBudget,
    identity: @escaping (UInt64) -> BatchIdentity?
  ) {
    self.world = world
    self.path = path
    self.identity = identity
    forwarder = Forwarder(options, queue: SendingQueue(capacity: capacity), seed: world.random.next())
    slots = Array(repeating: Slot(), count: options.connections)
    drive { $0.start(now: $1, into: &$2) }
  }

  var queue: SendingQueue { forwarder.queue }

  func enqueue(_ batch: Batch) {
    drive { _ = $0.enqueue(batch, batch.handedOn == nil ? .force : .charged, now: $1, into: &$2) }
  }

  /// The process is gone: nothing happens here any more.
  func die() { isDead = true }

  private func drive(_ event: (inout Forwarder, UInt64, inout [ForwarderCommand]) -> Void) {
    guard !isDead else { return }
    event(&forwarder, world.now, &commands)
    guard !isCarryingOut else { return }
    isCarryingOut = true
    var next = 0
    while next < commands.count, !isDead {
      carryOut(commands[next])
      next += 1
    }
    commands = []
    isCarryingOut = false
  }

  private func carryOut(_ command: ForwarderCommand) {
    switch command {
    case .connect(let slot): connect(slot)
    case .send(let slot, let sequence, let attempt): send(sequence, slot, attempt)
    case .cancel(let slot, let sequence):
      slots[slot].inFlight[sequence] = nil
      if world.chance(0.5) { lose(slot) }
    case .close(let slot): lose(slot)
    case .settle(let settlement): onSettle(settlement)
    case .wake(let time):
      wake += 1
      let number = wake
      world.after(time > world.now ? time - world.now : 0) { [self] in
        if number == wake { drive { $0.timer(now: $1, into: &$2) } }
      }
    case .drained: world.fault("drained without a drain")
    }
  }

  private func connect(_ slot: Int) {
    let isRefused = path.isCut || world.chance(world.trouble * 0.3)
    let epoch = slots[slot].epoch
    world.after(world.delay(millisecond...200 * millisecond)) { [self] in
      guard slots[slot].epoch == epoch else { return }
      guard !isRefused else { return lose(slot) }
      slots[slot].isUp = true
      if world.chance(world.trouble * 0.3) {
        world.after(world.delay(0...10 * second)) { [self] in if slots[slot].epoch == epoch { lose(slot) } }
      }
      drive { $0.connectionUp(slot: slot, concurrency: world.number(1...20), now: $1, into: &$2) }
    }
  }

  /// A connection ends, whatever is in flight on it.
  private func lose(_ slot: Int) {
    slots[slot] = Slot(epoch: slots[slot].epoch + 1)
    world.after(0) { [self] in drive { $0.connectionDown(slot: slot, now: $1, into: &$2) } }
  }

  private func send(_ sequence: UInt64, _ slot: Int, _ attempt: Int) {
    let epoch = slots[slot].epoch
    let hasRoom = world.chance(0.8)
    if !hasRoom {
      world.after(world.delay(0...100 * millisecond)) { [self] in
        if slots[slot].epoch == epoch { drive { $0.connectionRoom(slot: slot, now: $1, into: &$2) } }
      }
    }
    drive { $0.carried(sequence, slot: slot, bytes: 1, hasRoom: hasRoom, now: $1, into: &$2) }
    guard let batch = forwarder.batch(sequence), slots[slot].isUp else {
      return world.after(0) { [self] in drive { $0.answered(sequence, slot: slot, .lost, now: $1, into: &$2) } }
    }
    if attempt > 1 { resends += 1 }
    slots[slot].inFlight[sequence] = attempt
    path.carry(batch.payload, identity: identity(sequence)) { [self] reception in
      guard slots[slot].epoch == epoch, slots[slot].inFlight[sequence] == attempt else { return }
      slots[slot].inFlight[sequence] = nil
      let verdict: DeliveryVerdict =
        switch reception {
        case .accepted: .delivered(rejected: 0)
        case .overload: .retry(after: .milliseconds(500))
        case .malformed: .permanentFailure(code: 3)
        }
      if case .malformed = reception { world.fault("a batch that cannot be read") }
      drive { $0.answered(sequence, slot: slot, verdict, now: $1, into: &$2) }
    }
  }
}
