import Delivery
import Stitching
import Telemetry
import TraceWire

/// How a simulated aggregator is set up.
struct AggregatorSetting {
  var name: String
  var shards: Int
  var limits: StitchingLimits
  var flow: FlowLimits
  var budgetBytes: Int
  /// Whether batches that were received before are known by their identity.
  var knowsBatches: Bool
  var batch: BatchLimits
  var forwarding: ForwarderOptions
}

/// An aggregator: what `AggregatorLane` does, all loops in one.
final class Aggregator: Receiver {
  private let world: World
  private let setting: AggregatorSetting
  private let ledger = SpanLedger()
  private let budget: ByteBudget
  private let shards: [StitchingShard]
  private let lanes: [Lane]
  private let fanOut: ExporterFanOut
  private var partitioner: RequestPartitioner
  private var batcher: Batcher
  private var window = BatchWindow()
  private var chargedBytes = 0
  private var isTicking = false
  private(set) var refusals = 0
  private(set) var knownBatches = 0
  private(set) var duplicates = 0

  init(_ world: World, _ setting: AggregatorSetting, to paths: [Path]) {
    self.world = world
    self.setting = setting
    budget = ByteBudget(limit: setting.budgetBytes)
    let names = FlowNames(limits: setting.flow)
    let hash = KeyedHash(world.random.next(), world.random.next())
    shards = (0..<setting.shards).map { number in
      StitchingShard(
        limits: setting.limits.divided(by: setting.shards), flow: setting.flow.divided(by: setting.shards),
        names: names, hash: hash.derived(UInt64(number + 2)), now: world.now)
    }
    partitioner = RequestPartitioner(map: ShardMap(shardCount: setting.shards, hash: hash))
    batcher = Batcher(setting.batch)
    fanOut = ExporterFanOut(
      paths.indices.map { ExporterCounters(name: "otlp/\($0)", capacity: ByteBudget(limit: .max / 2)) })
    let origin = BatchIdentity.Origin(high: world.random.next(), low: world.random.next(), epoch: 7)
    lanes = zip(paths, fanOut.exporters).map { path, exporter in
      Lane(world, to: path, options: setting.forwarding, capacity: exporter.capacity) {
        setting.knowsBatches ? BatchIdentity(origin: origin, sequence: $0) : nil
      }
    }
    for lane in lanes {
      lane.onSettle = { [unowned self] in
        world.expect($0.cause == .delivered(rejected: 0), "a batch was lost: \($0.cause)")
        $0.book(in: ledger, releasing: budget)
      }
    }
  }

  private func tick() {
    isTicking = true
    world.after(500 * millisecond) { [unowned self] in
      lookAfter()
      // While it holds nothing there is nothing to look after.
      if ledger.held(.stitching) + ledger.held(.batch) > 0 { tick() } else { isTicking = false }
    }
  }

  // MARK: Taking in

  func receive(_ body: [UInt8], identity: BatchIdentity?, completion: @escaping (Reception) -> Void) {
    if let identity, setting.knowsBatches, window.contains(identity) {
      knownBatches += 1
      return completion(.accepted)
    }
    var facts = RequestFacts()
    do { try facts.walk(body.span.bytes, keys: AttributeKeys()) } catch { return completion(.malformed) }
    guard !budget.isOverSoftLimit, budget.reserve(body.count) else {
      refusals += 1
      return completion(.overload)
    }
    if let identity { window.insert(identity) }
    let request = ReceivedRequest(bytes: body, facts: facts)
    let lists = partitioner.partition(facts)
    let valid = lists.reduce(0) { $0 + $1.count }
    ledger.received(facts.spans.count, by: .otlpGRPC)
    ledger.left(facts.spans.count - valid, as: .rejected)
    ledger.held(valid, in: .stitching)
    for (number, list) in lists.enumerated() where !list.isEmpty { ingest(request, list, shards[number]) }
    budget.release(body.count)
    if !isTicking { tick() }
    completion(.accepted)
  }

  private func ingest(_ request: ReceivedRequest, _ spans: [UInt32], _ shard: StitchingShard) {
    let report = shard.ingest(request, spans: spans, now: world.now)
    duplicates += report.duplicates
    leave(report.duplicates, as: .duplicate)
    leave(report.overBudget, as: .overBudget)
    world.expect(
      report.accepted + report.duplicates + report.late + report.overBudget == spans.count, "spans without a report")
    if report.late > 0 { handOn(report.latePayload, spans: report.late) }
    handOn(report.closed)
  }

  private func leave(_ count: Int, as outcome: Outcome) {
    ledger.held(-count, in: .stitching)
    ledger.left(count, as: outcome)
  }

  // MARK: Handing on

  private func lookAfter() {
    for shard in shards {
      repeat { handOn(shard.advance(to: world.now)) } while shard.nextDeadline.map { $0 <= world.now } ?? false
    }
    if batcher.isDue(world.now), let batch = batcher.seal() { dispatch([batch]) }
  }

  private func handOn(_ closing: Closing) {
    for part in closing.parts { handOn(part.payload, spans: part.spanCount) }
    let held = shards.reduce(0) { $0 + $1.heldBytes }
    budget.recharge(from: chargedBytes, to: held)
    chargedBytes = held
  }

  private func handOn(_ payload: [UInt8], spans: Int) {
    var sealed: [Batch] = []
    let appended = batcher.append(whole: payload, spans: spans, now: world.now, sealed: &sealed)
    budget.reserveUnchecked(appended.bytes)
    ledger.moved(spans, from: .stitching, to: .batch)
    dispatch(sealed)
  }

  private func dispatch(_ sealed: [Batch]) {
    for batch in sealed {
      ledger.moved(batch.spanCount, from: .batch, to: .queue)
      let handing = fanOut.hand(batch)
      for index in handing.takers { lanes[index].enqueue(handing.batch) }
    }
  }

  // MARK: Rules

  func check() {
    ledger.check(setting.name, world)
    world.expect(ledger.held(.batch) == batcher.spanCount, "the batcher holds other spans than booked")
    let held = shards.reduce(0) { $0 + $1.heldSpans }
    world.expect(ledger.held(.stitching) == held, "\(ledger.held(.stitching)) spans booked in stitching, not \(held)")
    let part = setting.limits.divided(by: setting.shards)
    for shard in shards {
      world.expect(shard.liveTraces <= part.maxLiveTraces, "\(shard.liveTraces) live traces in a shard")
      world.expect(shard.heldBytes <= part.memoryBytesMax, "\(shard.heldBytes) bytes held in a shard")
    }
  }

  func checkRest() {
    check()
    world.expect(ledger.heldSpans == 0, "\(setting.name) holds \(ledger.heldSpans) spans")
    world.expect(budget.used == 0, "\(setting.name) leaks \(budget.used) bytes")
    for lane in lanes { world.expect(lane.queue.isEmpty, "\(setting.name) has batches left") }
  }

  /// Batches that were sent to an exporter's destination more than once.
  func resends(_ exporter: Int) -> Int { lanes[exporter].resends }

  /// What was counted, by name and labels.
  func series() -> [String: Double] {
    var whole = shards[0].snapshot()
    for shard in shards.dropFirst() { whole.merge(shard.snapshot()) }
    var series: [String: Double] = [:]
    for family in whole.families() {
      for sample in family.samples {
        let labels = sample.labels.map(\.value).joined(separator: " ")
        switch sample.value {
        case .number(let number): series["\(family.name) \(labels)", default: 0] += number
        case .histogram(let histogram): series["\(family.name) \(labels)", default: 0] += histogram.count
        }
      }
    }
    return series
  }
}
