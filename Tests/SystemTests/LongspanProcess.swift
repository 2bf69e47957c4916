import Foundation
import Testing

/// The built binary, started as a user starts it.
final class LongspanProcess: Sendable {
  private let program: Program

  /// The binary that the package's build made, or the one `LONGSPAN_BINARY` names.
  static var binary: URL {
    if let path = ProcessInfo.processInfo.environment["LONGSPAN_BINARY"] { return URL(filePath: path) }
    return Root.url.appending(path: ".build/debug/longspan")
  }

  /// Starts a role with a configuration and waits for its `ready` line.
  static func start(_ role: String, _ configuration: String) async throws -> LongspanProcess {
    let started = try LongspanProcess(role, configuration)
    _ = try await started.logLine { $0.contains(" ready") || $0.contains("\"ready\"") }
    return started
  }

  /// Starts a role without waiting for anything.
  init(_ role: String, _ configuration: String) throws {
    let folder = try Root.temporaryFolder()
    let file = folder.appending(path: "\(role).yaml")
    try configuration.write(to: file, atomically: true, encoding: .utf8)
    program = try Program(Self.binary.path, [role, "--config", file.path], in: folder)
  }

  var pid: Int32 { program.pid }
  var isRunning: Bool { program.isRunning }
  /// Where this process keeps its configuration.
  var folder: URL { program.folder }

  /// The address a listener said it is bound to, from the `ready` line.
  func address(_ listener: String) async throws -> String {
    let line = try await logLine { $0.contains(" ready") || $0.contains("\"ready\"") }
    if line.hasPrefix("{") {
      let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(event?[listener] as? String, "no \(listener) in: \(line)")
    }
    let field = try #require(
      line.split(separator: " ").first { $0.hasPrefix(listener + "=") }, "no \(listener) in: \(line)")
    return String(field.dropFirst(listener.count + 1))
  }

  /// The first log line that meets the condition.
  func logLine(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
    try await program.errorLine(where: condition)
  }

  /// Everything logged so far.
  var logText: String { program.errors }

  /// Sends a signal and waits for the end; the exit status.
  func end(_ signal: Int32 = SIGTERM) async -> Int32 { await program.end(signal) }

  /// Waits for the end; the exit status.
  func exitStatus() async -> Int32 { await program.exitStatus() }
}
