internal import Delivery
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Policy
internal import Stitching
internal import Synchronization
internal import Telemetry
internal import Tenancy
internal import Transport

/// The global aggregator, started: receivers -> shards by trace ID -> flow metrics -> exporters.
final class AggregatorRole: StartedRole {
  private let configuration: Mutex<AggregatorConfiguration>
  private let shared: AggregatorShared
  private let exporters: [Exporter]
  private let exporterLanes: [PerLoop<ExporterLane>]
  private let lanes: PerLoop<AggregatorLane>
  private let bulk: PerLoop<AggregatorStage>
  private let intake: Listeners
  /// What an earlier life has counted.
  private let base: FlowSnapshot?
  private let logger: Logger
  private let checkpoints = Mutex<Task<Void, Never>?>(nil)
  let process = ProcessMetrics()
  let adminAccess: AdminAccess

  private init(
    configuration: AggregatorConfiguration, shared: AggregatorShared, exporters: [Exporter],
    exporterLanes: [PerLoop<ExporterLane>], lanes: PerLoop<AggregatorLane>, bulk: PerLoop<AggregatorStage>,
    intake: Listeners, base: FlowSnapshot?, logger: Logger, adminAccess: AdminAccess
  ) {
    self.adminAccess = adminAccess
    self.configuration = Mutex(configuration)
    self.shared = shared
    self.exporters = exporters
    self.exporterLanes = exporterLanes
    self.lanes = lanes
    self.bulk = bulk
    self.intake = intake
    self.base = base
    self.logger = logger
  }

  /// Builds the parts from the back ends backwards and opens the receivers last.
  static func start(_ configuration: AggregatorConfiguration, logger: Logger) async throws -> AggregatorRole {
    let adminAccess = AdminAccess(try AdminAccess.Rule(configuration.admin.auth))
    let threads = try await RoleLoops()
    let loops = threads.all
    let ledger = SpanLedger()
    let memory = configuration.stitching.memoryLimitBytes
    let budget = ByteBudget(limit: memory, spike: memory / 8)
    var random = SystemRandomNumberGenerator()
    let secret = KeyedHash(using: &random)
    let names = FlowNames(limits: configuration.flowLimits)
    let rules = (configuration.tenants ?? TenantsConfiguration()).rules
    let exporters = try configuration.exporters.map {
      try Exporter(
        $0, tenantHeader: rules.header, lanes: loops.count, ledger: ledger, budget: budget, logger: logger)
    }
    let journal = try configuration.stitching.storage.map {
      try AggregatorJournal.open(
        $0, maxBytes: configuration.stitching.journalBytesMax, exporters: exporters.map(\.name), logger: logger)
    }
    let key = try await journal?.tenantKey(isNeeded: configuration.tenants != nil) ?? .random()
    let shared = AggregatorShared(
      shardMap: ShardMap(shardCount: loops.count, hash: secret.derived(0)), ledger: ledger,
      processors: ResourceDetection.real.rules(configuration.editing), budget: budget,
      fanOut: exporters.isEmpty ? nil : ExporterFanOut(exporters.map(\.counters)),
      batchLimits: BatchLimits(timeout: .milliseconds(200), sendBatchSize: 8192, sendBatchMaxSize: 0),
      retryAfter: .seconds(1), journal: journal,
      tenants: Tenants(rules, key: key) { NIODeadline.now().uptimeNanoseconds })
    var exporterLanes: [PerLoop<ExporterLane>] = []
    for exporter in exporters {
      exporterLanes.append(try await exporter.lanes(on: threads))
    }
    let bulk = try await PerLoop(on: threads.bulk) { _, _ in AggregatorStage(shared) }
    // What the journal holds came earlier, and no trace is older than this.
    let now = NIODeadline.now().uptimeNanoseconds
    let age = UInt64(max(0, configuration.stitching.maxTraceAge.nanosecondsClamped))
    let begin = journal == nil ? now : now - min(now, age)
    let lanes = try await PerLoop(on: loops) { [exporterLanes] loop, number in
      AggregatorLane(
        shared,
        shard: StitchingShard(
          limits: configuration.stitchingLimits.divided(by: loops.count),
          flow: configuration.flowLimits.divided(by: loops.count), names: names,
          hash: secret.derived(UInt64(number) + 1), now: begin,
          asksBeforeClosing: journal != nil, keepsBytes: shared.fanOut != nil),
        exporters: exporterLanes.map { $0.value(on: loop) }, bulk: bulk, turns: threads.turns.value(on: loop),
        retention: configuration.flow.linkTTL, number: number, loop: loop)
    }
    _ = await lanes.map { $0.connect(lanes) }
    var base: FlowSnapshot?
    if let journal {
      let replay = JournalReplay(
        journal: journal, shared: shared, lanes: lanes, names: names, limits: configuration.flowLimits,
        requestBytesMax: configuration.limits.maxRequestBytes, logger: logger)
      base = try await replay.run()
    }
    _ = await lanes.map { $0.start() }
    let intake = try await Listeners.bind(
      configuration.receivers, limits: configuration.limits, threads: threads, budget: budget,
      ledger: ledger, retryAfter: shared.retryAfter, tenants: configuration.tenants.map { _ in shared.tenants }
    ) { lanes.value(on: $0) }
    return AggregatorRole(
      configuration: configuration, shared: shared, exporters: exporters, exporterLanes: exporterLanes, lanes: lanes,
      bulk: bulk, intake: intake, base: base, logger: logger, adminAccess: adminAccess)
  }

  var ledger: SpanLedger { shared.ledger }
  var budget: ByteBudget { shared.budget }
  var listeners: [(name: String, address: String)] { intake.addresses }
  var isReady: Bool { !shared.draining.isSet }

  func families() async -> [MetricFamily] {
    let processed = await lanes.map { $0.processorCounts() } + bulk.map { $0.processorCounts }
    return shared.ledger.families() + PolicyCounts.none + ProcessorCounts.families(processed) + (await flows())
      + ExporterCounters.metricFamilies(exporters.map(\.counters)) + shared.budget.metricFamilies()
      + intake.counters.families() + shared.known.families() + (shared.journal?.families() ?? [])
      + (configuration.withLock { $0.tenants } == nil ? [] : shared.tenants.families())
      + process.families(certificateExpiry: [intake.certificateExpiry] + exporters.map(\.certificateExpiry))
  }

  /// The flow metrics of all shards together.
  private func flows() async -> [MetricFamily] {
    let snapshots = await lanes.map { $0.flows() }
    guard var all = snapshots.first else { return [] }
    for snapshot in snapshots.dropFirst() { all.merge(snapshot) }
    if let base { all.merge(base) }
    return all.families()
  }

  func status() async -> StatusDocument {
    StatusDocument(.aggregator, self, exporters: exporters, configuration: configuration.withLock { $0.summary })
  }

  /// Puts another configuration in force: limits, tenants, processors, stitching, exporters, certificates, credentials. No
  /// connection of a client is dropped. Throws `StartFailure`, with nothing changed, when a certificate or a file of
  /// credentials is no good.
  /// - Returns: the sections that differ from what is in force and need a restart.
  func reload(_ new: AggregatorConfiguration) async throws -> [String] {
    let reloaded = configuration.withLock { $0.reloaded(new) }
    let inForce = reloaded.inForce
    var changes = [try intake.change(to: inForce.receivers, inForce.limits)]
    for (section, (exporter, lanes)) in zip(inForce.exporters, zip(exporters, exporterLanes)) {
      changes.append(try exporter.change(to: section, on: lanes))
    }
    let admin = try AdminAccess.Rule(inForce.admin.auth)
    for change in changes { await change() }
    adminAccess.replace(with: admin)
    if let tenants = inForce.tenants { shared.tenants.adopt(tenants.rules) }
    let memory = inForce.stitching.memoryLimitBytes
    shared.budget.resize(limit: memory, spike: memory / 8)
    let limits = inForce.stitchingLimits.divided(by: lanes.count)
    let rules = ResourceDetection.real.rules(inForce.editing)
    _ = await lanes.map { $0.adopt(limits, rules) }
    _ = await bulk.map { $0.adopt(rules) }
    configuration.withLock { $0 = inForce }
    return reloaded.sectionsNeedingRestart
  }

  func connect() async {
    for lanes in exporterLanes { _ = await lanes.map { $0.start() } }
    guard shared.journal != nil else { return }
    let task = Task { [weak self] in
      while (try? await Task.sleep(for: Self.checkpointInterval)) != nil { await self?.checkpoint() }
    }
    checkpoints.withLock { $0 = task }
  }

  private static let checkpointInterval = Duration.seconds(1)
  private static let drainInterval = Duration.milliseconds(20)

  private func checkpoint() async {
    guard let journal = shared.journal else { return }
    await withCheckedContinuation { done in
      journal.checkpoint(lanes, base: base, known: shared.known) { done.resume() }
    }
  }

  func drain(within limit: Duration) async {
    let deadline = NIODeadline.now().uptimeNanoseconds + UInt64(max(0, limit.nanosecondsClamped))
    shared.draining.set()
    // A client that never ends its request must not use up the time in which held spans could be delivered.
    await intake.drain(within: limit / 2)
    await closeTraces(by: deadline)
    await withTaskGroup(of: Void.self) { tasks in
      for (exporter, lanes) in zip(exporters, exporterLanes) {
        tasks.addTask { await exporter.drain(lanes, until: deadline) }
      }
    }
    await closeJournal()
  }

  /// Closes what is open as fast as the exporters take it, and says how much there was no room for in time.
  private func closeTraces(by deadline: UInt64) async {
    _ = await lanes.map { $0.beginDrain() }
    while NIODeadline.now().uptimeNanoseconds < deadline, await lanes.map({ $0.hasToClose }).contains(true) {
      try? await Task.sleep(for: Self.drainInterval)
    }
    let lost = await lanes.map { $0.flush() }.reduce(0, +)
    guard lost > 0 else { return }
    logger.error(
      "spans lost: no exporter took them before the shutdown timeout", metadata: ["spans": "\(lost)"])
  }

  /// Writes the last checkpoint and says what the next life will find.
  private func closeJournal() async {
    guard let journal = shared.journal else { return }
    let task = checkpoints.withLock { $0 }
    task?.cancel()
    await task?.value
    await checkpoint()
    let left = HeldStage.allCases.reduce(0) { $0 + ledger.held($1) }
    if left > 0 {
      logger.notice("spans stay in the journal for the next start", metadata: ["spans": "\(left)"])
    }
    await journal.close()
  }
}
