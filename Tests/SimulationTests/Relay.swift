import Delivery
import Policy
import Telemetry
import TestKit
import TraceWire

/// How a simulated relay is set up.
struct RelaySetting {
  var region: String
  var routes: [Route]
  var defaultProbability: Double
  var batch: BatchLimits
  var queueBytes: Int
  /// Whether batches are on a disk before their spans are acknowledged, and survive a crash.
  var isDurable: Bool
  var forwarding: ForwarderOptions
}

/// A relay: what `RelayLane` does, on a simulated loop.
final class Relay: Receiver {
  private let world: World
  private let setting: RelaySetting
  private let path: Path
  private let keys: AttributeKeys
  /// What was kept of the spans, as it left the policy.
  private let kept: (SpanFacts, [UInt8]) -> Void
  private let origin: BatchIdentity.Origin
  private let policy: RelayPolicy
  /// Batches on disk by their number there.
  private var disk: [UInt64: Batch] = [:]
  private var nextOnDisk: UInt64 = 0

  // What a crash takes.
  private var engine: PolicyEngine
  private var batcher: Batcher
  private var lane: Lane?
  private var ledger = SpanLedger()
  private var budget = ByteBudget(limit: .max / 2)
  private var capacity: ByteBudget
  private var facts = RequestFacts()
  private var plan = RewritePlan()
  /// Who waits for the disk, by the token their spans have in the batcher.
  private var waiting: [UInt64: (left: Int, completion: (Reception) -> Void)] = [:]
  private var nextOwner: UInt64 = 0
  /// The number on disk of the batch the lane took in as the n-th.
  private var numbers: [UInt64] = []
  private var life = 0
  private var isDown = false
  private(set) var refusals = 0
  private(set) var crashes = 0

  init(_ world: World, _ setting: RelaySetting, to path: Path, kept: @escaping (SpanFacts, [UInt8]) -> Void) {
    self.world = world
    self.setting = setting
    self.path = path
    self.kept = kept
    origin = BatchIdentity.Origin(high: world.random.next(), low: world.random.next(), epoch: 1)
    policy = RelayPolicy(
      PolicyConfiguration(
        region: setting.region, defaultProbability: setting.defaultProbability, routes: setting.routes))
    keys = policy.attributeKeys
    engine = PolicyEngine(
      policy, memory: TraceMemory(tracesMax: 1000, seed: world.random.next()), seed: world.random.next())
    batcher = Batcher(setting.batch)
    capacity = ByteBudget(limit: setting.queueBytes)
    begin()
  }

  private func begin() {
    lane = Lane(world, to: path, options: setting.forwarding, capacity: capacity) { [unowned self] in
      BatchIdentity(origin: origin, sequence: setting.isDurable ? numbers[Int($0)] : $0)
    }
    let life = life
    lane?.onSettle = { [unowned self] in
      guard life == self.life else { return }
      world.expect($0.cause == .delivered(rejected: 0), "a batch was lost: \($0.cause)")
      if setting.isDurable { disk[numbers[Int($0.sequence)]] = nil }
      $0.book(in: ledger, releasing: budget)
    }
  }

  // MARK: Taking in

  func receive(_ body: [UInt8], identity: BatchIdentity?, completion: @escaping (Reception) -> Void) {
    guard !isDown, let lane else { return }
    guard lane.queue.canAccept(body.count) else {
      refusals += 1
      return completion(.overload)
    }
    do { try facts.walk(body.span.bytes, keys: keys) } catch { return completion(.malformed) }
    ledger.received(facts.spans.count, by: .otlpGRPC)
    let tally = engine.decide(facts, in: body.span.bytes, now: world.now, plan: &plan)
    ledger.left(tally.sampledOut, as: .sampledOut)
    ledger.left(tally.rejected, as: .rejected)
    guard tally.kept > 0 else { return completion(.accepted) }
    nextOwner += 1
    let owner = nextOwner
    if setting.isDurable { waiting[owner] = (0, completion) }
    var sealed: [Batch] = []
    let appended = batcher.append(
      0..<facts.spans.count, requestBytes: body.count, owner: setting.isDurable ? owner : nil, now: world.now,
      sealed: &sealed
    ) { range, limit, buffer in
      BatchWriter.append(range, limit: limit, of: facts, in: body.span.bytes, plan: plan, to: &buffer)
    }
    world.expect(appended.spans == tally.kept, "\(appended.spans) of \(tally.kept) kept spans written")
    budget.reserveUnchecked(appended.bytes)
    ledger.held(appended.spans, in: .batch)
    if setting.isDurable {
      let open = batcher.isHolding(owner) ? 1 : 0
      waiting[owner]?.left = sealed.count { $0.owners.contains(owner) } + open
    } else {
      completion(.accepted)
    }
    dispatch(sealed)
    scheduleFlush()
  }

  private func scheduleFlush() {
    guard let deadline = batcher.nextDeadline else { return }
    let life = life
    world.after(deadline - min(deadline, world.now)) { [self] in
      guard life == self.life, batcher.isDue(world.now), let batch = batcher.seal() else { return }
      dispatch([batch])
    }
  }

  private func dispatch(_ sealed: [Batch]) {
    for batch in sealed {
      ledger.moved(batch.spanCount, from: .batch, to: .queue)
      guard setting.isDurable else {
        note(batch)
        lane?.enqueue(batch)
        continue
      }
      let life = life
      world.after(world.delay(millisecond...20 * millisecond)) { [self] in
        guard life == self.life else { return }
        commit(batch)
      }
    }
  }

  /// A batch is on disk: those who wait for it are told, and it is sent.
  private func commit(_ batch: Batch) {
    let number = nextOnDisk
    nextOnDisk += 1
    disk[number] = batch
    numbers.append(number)
    note(batch)
    for owner in batch.owners {
      waiting[owner]?.left -= 1
      if waiting[owner]?.left == 0 { waiting.removeValue(forKey: owner)?.completion(.accepted) }
    }
    lane?.enqueue(batch)
  }

  private func note(_ batch: Batch) {
    var left = RequestFacts()
    do { try left.walk(batch.payload.span.bytes, keys: keys) } catch { world.fault("wrote what cannot be read") }
    world.expect(left.spans.count == batch.spanCount, "a batch of \(left.spans.count) spans says \(batch.spanCount)")
    for span in left.spans { kept(span, batch.payload) }
  }

  // MARK: Crashes

  /// Kills the process; it comes back with what is on its disk.
  func crash() {
    guard setting.isDurable, !isDown else { return }
    crashes += 1
    life += 1
    isDown = true
    lane?.die()
    waiting = [:]
    world.after(world.delay(10 * millisecond...5 * second)) { [self] in restart() }
  }

  private func restart() {
    isDown = false
    ledger = SpanLedger()
    budget = ByteBudget(limit: .max / 2)
    capacity = ByteBudget(limit: setting.queueBytes)
    engine = PolicyEngine(
      policy, memory: TraceMemory(tracesMax: 1000, seed: world.random.next()), seed: world.random.next())
    batcher = Batcher(setting.batch)
    numbers = disk.keys.sorted()
    begin()
    for number in numbers {
      guard let batch = disk[number] else { continue }
      ledger.received(batch.spanCount, by: .otlpGRPC)
      ledger.held(batch.spanCount, in: .queue)
      budget.reserveUnchecked(batch.byteCount)
      lane?.enqueue(batch)
    }
  }

  // MARK: Rules

  func check() {
    guard !isDown, let lane else { return }
    ledger.check("relay \(setting.region)", world)
    world.expect(ledger.held(.batch) == batcher.spanCount, "the batcher holds other spans than booked")
    let most = setting.queueBytes + 3 * setting.batch.maxBytes + Traffic.requestBytesMax
    world.expect(capacity.used <= most, "relay \(setting.region) queues \(capacity.used) bytes, \(most) at most")
    world.expect(budget.used >= lane.queue.byteCount, "bytes that nobody is charged for")
  }

  /// What must be so when everything has come to rest.
  func checkRest() {
    check()
    world.expect(
      !isDown && lane?.queue.isEmpty == true && batcher.spanCount == 0, "relay \(setting.region) holds spans")
    world.expect(disk.isEmpty, "\(disk.count) batches are left on disk")
    world.expect(budget.used == 0 && capacity.used == 0, "relay \(setting.region) leaks \(budget.used) bytes")
    world.expect(ledger.heldSpans == 0, "relay \(setting.region) has \(ledger.heldSpans) spans booked as held")
    world.expect(waiting.isEmpty, "\(waiting.count) senders never get an answer")
  }
}

extension Batcher {
  /// Whether the open batch has spans of an owner.
  fileprivate func isHolding(_ owner: UInt64) -> Bool {
    var copy = self
    return copy.seal()?.owners.contains(owner) ?? false
  }
}

extension SpanLedger {
  var heldSpans: Int { HeldStage.allCases.reduce(0) { $0 + held($1) } }

  /// Every span is somewhere.
  func check(_ node: String, _ world: World) {
    let received = ReceiverKind.allCases.reduce(0) { $0 + self.received($1) }
    let left = Outcome.allCases.reduce(0) { $0 + self.left($1) }
    world.expect(received == left + heldSpans, "\(node): \(received) received, \(left) left, \(heldSpans) held")
    for stage in HeldStage.allCases { world.expect(held(stage) >= 0, "\(node) holds \(held(stage)) in \(stage)") }
  }
}
