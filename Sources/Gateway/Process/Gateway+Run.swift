internal import Logging
internal import Telemetry

extension Gateway {
  /// Runs a relay until it is told to end.
  public static func runRelay(files: [String]) async -> LongspanExitCode {
    guard let loaded = load({ () throws(ConfigurationErrors) in try ConfigurationLoader().relay(files: files) }) else {
      return .configuration
    }
    let configuration = loaded.configuration
    let logger = logger(configuration.log, warnings: loaded.warnings)
    return await run(configuration.admin, configuration.shutdownTimeout, logger) {
      let role = try await RelayRole.start(configuration, logger: logger)
      return (role, { try await role.reload(ConfigurationLoader().relay(files: files).configuration) })
    }
  }

  /// Runs an aggregator until it is told to end.
  public static func runAggregator(files: [String]) async -> LongspanExitCode {
    guard
      let loaded = load({ () throws(ConfigurationErrors) in try ConfigurationLoader().aggregator(files: files) })
    else { return .configuration }
    let configuration = loaded.configuration
    let logger = logger(configuration.log, warnings: loaded.warnings)
    return await run(configuration.admin, configuration.shutdownTimeout, logger) {
      let role = try await AggregatorRole.start(configuration, logger: logger)
      return (role, { try await role.reload(ConfigurationLoader().aggregator(files: files).configuration) })
    }
  }

  /// Checks files and says every error.
  public static func validate(_ role: Role, files: [String]) -> LongspanExitCode {
    let warnings: [ConfigurationIssue]? =
      switch role {
      case .relay: load { () throws(ConfigurationErrors) in try ConfigurationLoader().relay(files: files).warnings }
      case .aggregator:
        load { () throws(ConfigurationErrors) in try ConfigurationLoader().aggregator(files: files).warnings }
      }
    guard let warnings else { return .configuration }
    for warning in warnings { say("warning: \(warning)") }
    say("the configuration is valid")
    return .done
  }

  private static func run(
    _ admin: ListenerConfiguration, _ shutdownTimeout: Duration, _ logger: Logger,
    start: () async throws -> (role: any StartedRole, reload: Reload)
  ) async -> LongspanExitCode {
    Allocator.setUp()
    do {
      let (role, reload) = try await start()
      return await Runner(
        role: role, reload: reload, admin: (admin.host, admin.port), shutdownTimeout: shutdownTimeout, logger: logger
      ).run()
    } catch {
      logger.critical("cannot start: \(error)")
      return error is StartFailure ? .unavailable : .failed
    }
  }

  /// What `read` gives; `nil` after every error has been said.
  private static func load<Value>(_ read: () throws(ConfigurationErrors) -> Value) -> Value? {
    do throws(ConfigurationErrors) {
      return try read()
    } catch {
      for issue in error.issues { say("\(issue)") }
      return nil
    }
  }

  private static func logger(_ configuration: LogConfiguration, warnings: [ConfigurationIssue]) -> Logger {
    let sink = StandardErrorSink()
    let logger = Logger(label: "longspan") { _ in
      LineLogHandler(level: configuration.level, format: configuration.format, sink: sink)
    }
    for warning in warnings { logger.warning("\(warning)") }
    return logger
  }

  private static func say(_ line: String) { StandardErrorSink().write(Array((line + "\n").utf8)) }
}
