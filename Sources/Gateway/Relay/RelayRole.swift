internal import Delivery
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Policy
internal import Synchronization
internal import Telemetry
internal import Tenancy
internal import Transport

/// An edge relay, started: receivers -> policy -> batch -> queue -> TLS -> aggregator, on every event loop.
final class RelayRole: StartedRole {
  private let configuration: Mutex<RelayConfiguration>
  private let shared: RelayShared
  private let exporter: Exporter
  /// Beside the aggregator.
  private let locals: [(exporter: Exporter, lanes: PerLoop<ExporterLane>)]
  /// The memory that is set aside for them.
  private let room: ByteBudget
  private let lanes: PerLoop<RelayLane>
  private let bulk: PerLoop<RelayStage>
  private let exporterLanes: PerLoop<ExporterLane>
  private let intake: Listeners
  let process = ProcessMetrics()
  let adminAccess: AdminAccess

  private init(
    configuration: RelayConfiguration, shared: RelayShared, exporter: Exporter,
    locals: [(exporter: Exporter, lanes: PerLoop<ExporterLane>)], room: ByteBudget, lanes: PerLoop<RelayLane>,
    bulk: PerLoop<RelayStage>, exporterLanes: PerLoop<ExporterLane>, intake: Listeners, adminAccess: AdminAccess
  ) {
    self.adminAccess = adminAccess
    self.configuration = Mutex(configuration)
    self.shared = shared
    self.exporter = exporter
    self.locals = locals
    self.room = room
    self.lanes = lanes
    self.bulk = bulk
    self.exporterLanes = exporterLanes
    self.intake = intake
  }

  /// Builds the parts from the aggregator backwards and opens the receivers last.
  static func start(_ configuration: RelayConfiguration, logger: Logger) async throws -> RelayRole {
    let adminAccess = AdminAccess(try AdminAccess.Rule(configuration.admin.auth))
    let threads = try await RoleLoops()
    let loops = threads.all
    let ledger = SpanLedger()
    let memory = RelayMemory(configuration)
    let budget = ByteBudget(limit: memory.limit, spike: memory.spike)
    let room = ByteBudget(limit: memory.room)
    let store = try configuration.exporter.queueStorage.map {
      try StoredQueue.open($0, maxBytes: configuration.exporter.queueBytesMax, logger: logger)
    }
    let shared = RelayShared(
      policy: RelayPolicy(PolicyConfiguration(configuration)),
      memory: TraceMemory(
        ttl: configuration.sampling.traceMemory.ttl, tracesMax: configuration.sampling.traceMemory.maxTraces),
      ledger: ledger, budget: budget, batchLimits: BatchLimits(configuration.batch), retryAfter: .seconds(1),
      store: store,
      // Nothing that tenants' masks went into outlives the process: what waits on disk has the tenant's name.
      tenants: configuration.tenants.map {
        Tenants($0.rules, key: .random(), clock: { NIODeadline.now().uptimeNanoseconds })
      },
      logger: logger)
    let tenantHeader = (configuration.tenants ?? TenantsConfiguration()).rules.header
    let exporter = try Exporter(
      configuration.exporter, tenantHeader: tenantHeader, lanes: loops.count, ledger: ledger, budget: budget,
      logger: logger)
    let exporterLanes = try await exporter.lanes(on: threads)
    var locals: [(exporter: Exporter, lanes: PerLoop<ExporterLane>)] = []
    for section in configuration.localExporters {
      let local = try Exporter(
        section, tenantHeader: tenantHeader, lanes: loops.count, ledger: nil, budget: room, logger: logger)
      locals.append((local, try await local.lanes(on: threads)))
    }
    let bulk = try await PerLoop(on: threads.bulk) { _, _ in RelayStage(shared) }
    let lanes = try await PerLoop(on: loops) { [localLanes = locals.map(\.lanes)] loop, number in
      RelayLane(
        shared, exporter: exporterLanes.value(on: loop),
        locals: LocalExports(lanes: localLanes.map { $0.value(on: loop) }, room: room), bulk: bulk,
        turns: threads.turns.value(on: loop), number: number, loop: loop)
    }
    if let store {
      for number in loops.indices {
        lanes.execute(on: number) { $0.start(store.share(of: number, among: loops.count)) }
      }
    }
    let intake = try await Listeners.bind(
      configuration.receivers, limits: configuration.limits, threads: threads, budget: budget,
      ledger: ledger, retryAfter: shared.retryAfter, tenants: shared.tenants,
      samplingProbability: configuration.sampling.probability
    ) { lanes.value(on: $0) }
    return RelayRole(
      configuration: configuration, shared: shared, exporter: exporter, locals: locals, room: room, lanes: lanes,
      bulk: bulk, exporterLanes: exporterLanes, intake: intake, adminAccess: adminAccess)
  }

  var ledger: SpanLedger { shared.ledger }
  var budget: ByteBudget { shared.budget }
  var listeners: [(name: String, address: String)] { intake.addresses }
  var isReady: Bool { !shared.draining.isSet }
  var heldBeside: Int { room.used }
  private var exporters: [Exporter] { [exporter] + locals.map(\.exporter) }

  func families() async -> [MetricFamily] {
    let counts = await lanes.map { $0.policyCounts() } + bulk.map { $0.policyCounts }
    let processed = await lanes.map { $0.processorCounts() } + bulk.map { $0.processorCounts }
    return shared.ledger.families() + ProcessorCounts.families(processed)
      + PolicyCounts.families(counts, memory: shared.memory)
      + ExporterCounters.metricFamilies(exporters.map(\.counters)) + shared.budget.metricFamilies()
      + (shared.store?.families() ?? []) + (shared.tenants?.families() ?? [])
      + intake.counters.families()
      + process.families(certificateExpiry: [intake.certificateExpiry] + exporters.map(\.certificateExpiry))
  }

  func status() async -> StatusDocument {
    StatusDocument(.relay, self, exporters: exporters, configuration: configuration.withLock { $0.summary })
  }

  /// Puts another configuration in force: routes, sampling, baggage, regions, processors, batches, limits, tenants,
  /// exporters, certificates, credentials. No connection of a client is dropped. Throws `StartFailure`, with nothing
  /// changed, when a certificate or a file of credentials is no good.
  /// - Returns: the sections that differ from what is in force and need a restart.
  func reload(_ new: RelayConfiguration) async throws -> [String] {
    let reloaded = configuration.withLock { $0.reloaded(new) }
    let inForce = reloaded.inForce
    var changes = [
      try intake.change(
        to: inForce.receivers, inForce.limits, samplingProbability: inForce.sampling.probability),
      try exporter.change(to: inForce.exporter, on: exporterLanes),
    ]
    for (section, local) in zip(inForce.localExporters, locals) {
      changes.append(try local.exporter.change(to: section, on: local.lanes))
    }
    let admin = try AdminAccess.Rule(inForce.admin.auth)
    let policy = RelayPolicy(PolicyConfiguration(inForce))
    let limits = BatchLimits(inForce.batch)
    for change in changes { await change() }
    adminAccess.replace(with: admin)
    if let tenants = inForce.tenants { shared.tenants?.adopt(tenants.rules) }
    let memory = RelayMemory(inForce)
    shared.budget.resize(limit: memory.limit, spike: memory.spike)
    room.resize(limit: memory.room)
    _ = await lanes.map { $0.adopt(policy, limits) }
    _ = await bulk.map { $0.adopt(policy, limits) }
    configuration.withLock { $0 = inForce }
    return reloaded.sectionsNeedingRestart
  }

  func connect() async {
    _ = await exporterLanes.map { $0.start() }
    for local in locals { _ = await local.lanes.map { $0.start() } }
  }

  func drain(within limit: Duration) async {
    let deadline = NIODeadline.now().uptimeNanoseconds + UInt64(max(0, limit.nanosecondsClamped))
    shared.draining.set()
    // A client that never ends its request must not use up the time in which held spans could be delivered.
    await intake.drain(within: limit / 2)
    _ = await lanes.map { $0.flush() }
    await withTaskGroup(of: Void.self) { tasks in
      for (exporter, lanes) in [(exporter, exporterLanes)] + locals {
        tasks.addTask { await exporter.drain(lanes, until: deadline) }
      }
    }
    guard let store = shared.store else { return }
    _ = await lanes.map { $0.removeSettled() }
    let left = ledger.held(.queue)
    if left > 0 {
      shared.logger.notice("spans stay on disk for the next start", metadata: ["spans": "\(left)"])
    }
    await store.close()
  }
}
