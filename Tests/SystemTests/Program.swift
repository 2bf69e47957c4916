import Foundation

/// Another program that runs beside the tests; what it writes is read line by line.
final class Program: Sendable {
  private let process: Process
  private let outputLines = LogLines()
  private let errorLines = LogLines()
  /// A folder of its own, which goes with it.
  let folder: URL

  /// Starts it, with nothing to read unless there is an `input`.
  init(_ executable: URL, _ arguments: [String], in folder: URL, input: Pipe? = nil) throws {
    self.folder = folder
    process = Process()
    process.executableURL = executable
    process.arguments = arguments
    if let input { process.standardInput = input } else { process.standardInput = FileHandle.nullDevice }
    process.standardOutput = Self.pipe(to: outputLines)
    process.standardError = Self.pipe(to: errorLines)
    try process.run()
  }

  /// Starts a program that is found on the path.
  convenience init(named name: String, _ arguments: [String], in folder: URL) throws {
    try self.init(URL(filePath: "/usr/bin/env"), [name] + arguments, in: folder)
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(at: folder)
  }

  private static func pipe(to lines: LogLines) -> Pipe {
    let pipe = Pipe()
    pipe.fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil }
      lines.add(data)
    }
    return pipe
  }

  var pid: Int32 { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  /// All lines of its standard output and its standard error so far.
  var output: String { outputLines.text }
  var errors: String { errorLines.text }

  /// The first line of either that meets the condition; throws when the program ends without one.
  func outputLine(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
    try await outputLines.first(where: condition)
  }

  func errorLine(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
    try await errorLines.first(where: condition)
  }

  /// Waits until nothing more can come.
  func wholeOutput() async -> String {
    _ = try? await outputLines.first { _ in false }
    return output
  }

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
