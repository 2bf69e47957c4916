import Foundation
import TestKit

/// Another program that runs beside the tests; what it writes is read line by line.
final class Program: Sendable {
  private let process: ChildProcess
  private let input: Pipe?
  private let outputLines = LogLines()
  private let errorLines = LogLines()
  /// A folder of its own, which goes with it.
  let folder: URL

  /// Starts it; it has nothing to read unless it `listens`.
  init(_ executable: String, _ arguments: [String], in folder: URL, listens: Bool = false) throws {
    self.folder = folder
    input = listens ? Pipe() : nil
    let (output, errors) = (Pipe(), Pipe())
    process = try ChildProcess(
      executable, arguments, input: input?.fileHandleForReading, output: output.fileHandleForWriting,
      errors: errors.fileHandleForWriting)
    try Self.read(output, to: outputLines)
    try Self.read(errors, to: errorLines)
  }

  /// Starts one of the programs in Python, which can be told something.
  convenience init(peer name: String, _ arguments: [String], in folder: URL? = nil) throws {
    try self.init(
      Root.python, [Root.peer(name)] + arguments, in: try folder ?? Root.temporaryFolder(),
      listens: true)
  }

  /// Starts a program that is found on the path.
  convenience init(named name: String, _ arguments: [String], in folder: URL) throws {
    try self.init(name, arguments, in: folder)
  }

  deinit {
    process.signal(SIGKILL)
    try? FileManager.default.removeItem(at: folder)
  }

  private static func read(_ pipe: Pipe, to lines: LogLines) throws {
    try pipe.fileHandleForWriting.close()
    // On a thread of its own: a dispatch source may outlive the descriptor that it watches.
    Thread.detachNewThread { [handle = pipe.fileHandleForReading] in
      var data = Data()
      repeat {
        data = handle.availableData
        lines.add(data)
      } while !data.isEmpty
    }
  }

  /// Tells it something.
  func tell(_ text: String) throws { try input?.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

  /// Tells it that there is nothing more to say.
  func tellEnd() throws { try input?.fileHandleForWriting.close() }

  var pid: Int32 { process.pid }
  var isRunning: Bool { process.isRunning }

  /// All lines of its standard output and its standard error so far.
  var output: String { outputLines.text }
  var errors: String { errorLines.text }

  /// The first line of either that meets the condition; throws when the program ends without one.
  func outputLine(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
    do {
      return try await outputLines.first(where: condition)
    } catch let ended as LogLines.Ended {
      throw LogLines.Ended(description: "\(ended.description)\nerrors:\n\(errors)")
    }
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
    process.signal(signal)
    return await exitStatus()
  }

  /// Waits for the end, and until all that was written before it is read; the exit status.
  func exitStatus() async -> Int32 {
    let status = await process.exitStatus()
    for lines in [outputLines, errorLines] { _ = try? await lines.first { _ in false } }
    return status
  }
}
