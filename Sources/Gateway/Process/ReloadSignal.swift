internal import Logging
internal import ServiceLifecycle
internal import Telemetry
internal import UnixSignals

/// SIGHUP: reloads. Files with errors are refused, and the configuration in force stays.
struct ReloadSignal: Service {
  let process: ProcessMetrics
  let reload: Reload
  let logger: Logger

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      do {
        let unchanged = try await reload()
        process.generation.add(1)
        logger.notice("configuration reloaded", metadata: ["generation": "\(process.generation.value)"])
        if !unchanged.isEmpty {
          logger.warning(
            "some changes need a restart", metadata: ["sections": "\(unchanged.joined(separator: ","))"])
        }
      } catch {
        process.reloadFailures.add(1)
        for line in Self.reasons(error) { logger.error("configuration not reloaded", metadata: ["reason": "\(line)"]) }
      }
    }
  }

  private static func reasons(_ error: any Error) -> [String] {
    (error as? ConfigurationErrors)?.issues.map { "\($0)" } ?? ["\(error)"]
  }
}
