import Foundation
import Synchronization
import Testing

/// The built binary, started as a user starts it; its standard error is read line by line.
final class LongspanProcess: Sendable {
  private let process: Process
  private let log = LogLines()
  /// Where this process keeps its configuration.
  let folder: URL

  /// The binary that the package's build made, or the one `LONGSPAN_BINARY` names.
  static var binary: URL {
    if let path = ProcessInfo.processInfo.environment["LONGSPAN_BINARY"] { return URL(filePath: path) }
    return Root.url.appending(path: ".build/debug/longspan")
  }

  /// Starts a role with a configuration and waits for its `ready` line.
  static func start(_ role: String, _ configuration: String) async throws -> LongspanProcess {
    let started = try LongspanProcess(role, configuration)
    _ = try await started.log.first { $0.contains(" ready") || $0.contains("\"ready\"") }
    return started
  }

  /// Starts a role without waiting for anything.
  init(_ role: String, _ configuration: String) throws {
    folder = try Root.temporaryFolder()
    let file = folder.appending(path: "\(role).yaml")
    try configuration.write(to: file, atomically: true, encoding: .utf8)
    process = Process()
    process.executableURL = Self.binary
    process.arguments = [role, "--config", file.path]
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = FileHandle.nullDevice
    process.standardInput = FileHandle.nullDevice
    pipe.fileHandleForReading.readabilityHandler = { [log] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil }
      log.add(data)
    }
    try process.run()
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// The address a listener said it is bound to, from the `ready` line.
  func address(_ listener: String) async throws -> String {
    let line = try await log.first { $0.contains(" ready") }
    let field = try #require(
      line.split(separator: " ").first { $0.hasPrefix(listener + "=") }, "no \(listener) in: \(line)")
    return String(field.dropFirst(listener.count + 1))
  }

  /// The first log line that meets the condition.
  func logLine(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
    try await log.first(where: condition)
  }

  /// Everything logged so far.
  var logText: String { log.text }

  /// Sends a signal and waits for the end; the exit status.
  func end(_ signal: Int32 = SIGTERM) async -> Int32 {
    kill(process.processIdentifier, signal)
    return await exitStatus()
  }

  /// Waits for the end; the exit status.
  func exitStatus() async -> Int32 {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async { [process] in
        process.waitUntilExit()
        continuation.resume(returning: process.terminationStatus)
      }
    }
  }
}

/// Lines as they come, and those who wait for one.
private final class LogLines: Sendable {
  private struct State {
    var partial = Data()
    var lines: [String] = []
    var hasEnded = false
    var waiting: [(condition: @Sendable (String) -> Bool, continuation: CheckedContinuation<String, any Error>)] = []
  }

  struct Ended: Error, CustomStringConvertible {
    var description: String
  }

  private let state = Mutex(State())

  var text: String { state.withLock { $0.lines.joined(separator: "\n") } }

  /// Takes in what was read; nothing means the end.
  func add(_ data: Data) {
    state.withLock { state in
      state.partial.append(data)
      while let newline = state.partial.firstIndex(of: 0x0a) {
        let line = String(decoding: state.partial[state.partial.startIndex..<newline], as: UTF8.self)
        state.partial = Data(state.partial[(newline + 1)...])
        state.lines.append(line)
        state.waiting.removeAll { waiter in
          guard waiter.condition(line) else { return false }
          waiter.continuation.resume(returning: line)
          return true
        }
      }
      guard data.isEmpty else { return }
      state.hasEnded = true
      let all = state.lines.joined(separator: "\n")
      for waiter in state.waiting { waiter.continuation.resume(throwing: Ended(description: "ended; log:\n\(all)")) }
      state.waiting = []
    }
  }

  func first(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
    try await withCheckedThrowingContinuation { continuation in
      state.withLock { state in
        if let line = state.lines.first(where: condition) {
          continuation.resume(returning: line)
        } else if state.hasEnded {
          continuation.resume(throwing: Ended(description: "ended; log:\n\(state.lines.joined(separator: "\n"))"))
        } else {
          state.waiting.append((condition, continuation))
        }
      }
    }
  }
}
