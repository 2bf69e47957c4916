internal import Delivery
internal import Logging
internal import ServiceLifecycle
internal import Telemetry
internal import UnixSignals

/// A role that has started: its listeners are bound.
protocol StartedRole: AdminSource {
  var ledger: SpanLedger { get }
  var process: ProcessMetrics { get }
  /// What the process holds, and may hold.
  var budget: ByteBudget { get }
  /// Bytes that are held beside what `budget` allows.
  var heldBeside: Int { get }
  /// Who may use its admin endpoint.
  var adminAccess: AdminAccess { get }
  /// What it listens on, for the `ready` line.
  var listeners: [(name: String, address: String)] { get }
  /// Begins to connect to where spans go. What came in before waits in the queue.
  func connect() async
  /// Stops accepting, finishes what is in flight, hands on what is held, within the time.
  func drain(within limit: Duration) async
}

extension StartedRole {
  var heldBeside: Int { 0 }

  /// The bound address of a listener that is known to be configured.
  func address(of listener: String) -> String { listeners.first { $0.name == listener }?.address ?? "" }
}

/// Reads the configuration files again and puts in force what can be without a restart. Returns the sections that
/// changed and need one; throws when the files have errors, and then nothing has changed.
typealias Reload = @Sendable () async throws -> [String]

/// Runs a started role and its admin endpoint until SIGTERM or SIGINT, then drains.
struct Runner {
  let role: any StartedRole
  let reload: Reload
  let admin: (host: String, port: Int)
  let shutdownTimeout: Duration
  let logger: Logger

  func run() async -> LongspanExitCode {
    let bound = BoundAddress()
    let server = AdminServer(host: admin.host, port: admin.port, source: role, access: role.adminAccess, bound: bound)
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: server),
          .init(
            service: MemoryWatch(budget: role.budget, beside: { role.heldBeside }),
            successTerminationBehavior: .ignore),
          .init(service: ReloadSignal(process: role.process, reload: reload, logger: logger)),
          .init(
            service: RoleService(role: role, bound: bound, shutdownTimeout: shutdownTimeout, logger: logger),
            successTerminationBehavior: .gracefullyShutdownGroup),
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: .quiet))
    do {
      try await group.run()
      return .done
    } catch let failure as StartFailure {
      logger.critical("\(failure.message)")
      return .unavailable
    } catch {
      logger.critical("stopped: \(error)")
      return .failed
    }
  }
}

/// The role as a service: says `ready`, waits for the signal, drains.
private struct RoleService: Service {
  let role: any StartedRole
  let bound: BoundAddress
  let shutdownTimeout: Duration
  let logger: Logger

  func run() async throws {
    guard let address = await bound.value else { return }
    var metadata: Logger.Metadata = ["admin": "\(address)"]
    for listener in role.listeners { metadata[listener.name] = "\(listener.address)" }
    // Whatever the log's level: with port 0 this line alone tells where the listeners are.
    var always = logger
    always.logLevel = min(logger.logLevel, .notice)
    always.notice("ready", metadata: metadata)
    await role.connect()
    try? await gracefulShutdown()
    logger.notice("draining")
    await role.drain(within: shutdownTimeout)
    logger.notice("stopped")
  }
}
