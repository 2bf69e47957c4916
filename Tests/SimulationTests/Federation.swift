import Delivery
import Policy
import Stitching
import Telemetry
import TraceWire

/// Everything of one run, set up from its seed.
final class Federation {
  static let regions = ["us", "eu", "ap"]
  private static let troubleEnd: UInt64 = 60 * second

  let world: World
  private let routes: [Route]
  private let defaultProbability: Double
  /// Whether a request may reach a relay twice. What a trace's second route means to spans that name no peer depends on
  /// when they come, so traces with two routes and requests that come twice are not mixed.
  private let repeats: Bool
  private let traffic: Traffic
  private let backEnds: [BackEnd]
  private let aggregators: [Aggregator]
  private var relays: [Relay] = []
  private var paths: [Path] = []
  private var senders: [Sender] = []
  private var truth = Truth()

  init(seed: UInt64) {
    let world = World(seed: seed)
    self.world = world
    repeats = world.chance(0.6)
    traffic = Traffic(world, regions: Self.regions, isChained: !repeats)
    defaultProbability = world.pick([1, 1, 0.5])
    routes = Self.regions.flatMap { source in
      (Self.regions + [Route.anyRegion]).filter { $0 != source && world.chance(0.5) }.map {
        Route(from: source, to: $0, probability: world.pick([1, 0.5, 0.1]))
      }
    }
    let backEnds = [BackEnd(world), BackEnd(world)]
    let ends = backEnds.map { Path(world, to: $0) }
    let second = Aggregator(world, Self.aggregator("second", world), to: [ends[1]])
    let between = Path(world, to: second)
    let first = Aggregator(world, Self.aggregator("first", world), to: [between, ends[0]])
    self.backEnds = backEnds
    aggregators = [first, second]
    paths = ends + [between]
    for region in Self.regions {
      let path = Path(world, to: first)
      paths.append(path)
      relays.append(Relay(world, relay(region), to: path) { [unowned self] span, _ in truth.keep(span) })
    }
    world.check = { [unowned self] in check() }
  }

  private func relay(_ region: String) -> RelaySetting {
    RelaySetting(
      region: region, routes: routes, defaultProbability: defaultProbability,
      batch: BatchLimits(
        timeout: .milliseconds(world.number(0...1000)), sendBatchSize: world.number(1...30),
        sendBatchMaxSize: world.number(1...40), maxBytes: world.pick([500, 2000, 5000])),
      queueBytes: world.pick([600, 3000, 1 << 20]), isDurable: repeats && world.chance(0.6),
      forwarding: Self.forwarding(world))
  }

  private static func forwarding(_ world: World) -> ForwarderOptions {
    ForwarderOptions(
      connections: world.number(1...3), requestsPerConnection: world.number(1...8),
      requestTimeout: .seconds(world.number(1...5)),
      retry: RetrySchedule(
        initialInterval: .milliseconds(world.number(50...1000)), maxInterval: .seconds(world.number(1...8))))
  }

  private static func aggregator(_ name: String, _ world: World) -> AggregatorSetting {
    var limits = StitchingLimits()
    limits.idleTimeout = .milliseconds(world.number(100...10_000))
    limits.maxTraceAge = .seconds(600)
    if world.chance(0.3) { limits.maxLiveTraces = world.number(2...10) }
    if world.chance(0.3) { limits.memoryBytesMax = world.number(5000...50_000) }
    var flow = FlowLimits()
    flow.linkTTL = .seconds(600)
    return AggregatorSetting(
      name: name, shards: world.number(1...3), limits: limits, flow: flow,
      budgetBytes: world.pick([6000, 8000, 1 << 30]), knowsBatches: world.chance(0.7),
      batch: BatchLimits(
        timeout: .milliseconds(world.number(1...1000)), sendBatchSize: world.number(1...100),
        maxBytes: world.pick([1500, 5000])),
      forwarding: forwarding(world))
  }

  /// Plays traffic and trouble, heals, and waits for rest. What was wrong is in `world.faults`.
  func run() {
    for _ in 0..<world.number(1...16) { scheduleTrace() }
    for relay in relays where world.chance(world.trouble * 2) {
      for _ in 0..<world.number(1...3) {
        world.after(world.delay(0...Self.troubleEnd)) { relay.crash() }
      }
    }
    world.play(until: Self.troubleEnd)
    world.trouble = 0
    for path in paths { path.heal() }
    world.play()
    if world.faults.isEmpty { checkRest() }
  }

  private func scheduleTrace() {
    let start = world.delay(0...30 * second)
    for (region, body) in traffic.requests(of: traffic.makeTrace()) {
      let relay = relays[Self.regions.firstIndex(of: region) ?? 0]
      let path = repeats ? Path(world, to: relay) : nil
      if let path { paths.append(path) }
      let sender = Sender(world, body, to: relay, over: path)
      senders.append(sender)
      world.expect(body.count <= Traffic.requestBytesMax, "a request of \(body.count) bytes")
      world.after(start + world.delay(0...3 * second)) { sender.send() }
    }
  }

  // MARK: Rules

  /// One node after each event, in turn: what is broken stays broken until its turn comes.
  private func check() {
    let turn = world.steps % (relays.count + aggregators.count)
    if turn < relays.count { relays[turn].check() } else { aggregators[turn - relays.count].check() }
  }

  private func checkRest() {
    for relay in relays { relay.checkRest() }
    for aggregator in aggregators { aggregator.checkRest() }
    world.expect(senders.allSatisfy(\.isAcknowledged), "a sender was never told that its spans were taken")
    let kept = Set(truth.kept.keys)
    for (number, backEnd) in backEnds.enumerated() {
      let got = Set(backEnd.counts.keys)
      world.expect(kept.isSubset(of: got), "\(kept.subtracting(got).count) acknowledged spans were never exported")
      world.expect(got.isSubset(of: kept), "\(got.subtracting(kept).count) spans came from nowhere")
      let resends = number == 0 ? aggregators[0].resends(1) : aggregators[1].resends(0)
      if resends + paths[number].doubled == 0 {
        world.expect(backEnd.counts.values.allSatisfy { $0 == 1 }, "a span was exported twice")
      }
    }
    truth.checkAgreement(
      traffic.spans, routes: RouteTable(routes), defaultProbability: defaultProbability, world)
    let wanted = truth.flows(traffic.spans)
    for aggregator in aggregators { checkFlows(aggregator.series(), wanted) }
  }

  /// Flows between regions are the truth's, to the last digits.
  private func checkFlows(_ found: [String: Double], _ wanted: [String: Double]) {
    let pairs = Self.regions.flatMap { source in Self.regions.filter { $0 != source }.map { "\(source) \($0)" } }
    for key in Set(found.keys).union(wanted.keys) where pairs.contains(where: { key.hasSuffix($0) }) {
      guard wanted[key] != nil || key.hasPrefix("region_flow") || key.hasPrefix("trace_count") else { continue }
      let (one, other) = (found[key] ?? 0, wanted[key] ?? 0)
      world.expect(abs(one - other) <= 1e-9 * max(1, other), "\(key) is \(one), not \(other)")
    }
  }

  /// What happened, for the count of what the seeds reach.
  var tally: [String: Int] {
    [
      "spans": traffic.spans.count, "kept": truth.kept.count, "events": world.steps,
      "duplicates": aggregators.reduce(0) { $0 + $1.duplicates },
      "known batches": aggregators.reduce(0) { $0 + $1.knownBatches },
      "relay refusals": relays.reduce(0) { $0 + $1.refusals },
      "aggregator refusals": aggregators.reduce(0) { $0 + $1.refusals },
      "crashes": relays.reduce(0) { $0 + $1.crashes },
    ]
  }
}
