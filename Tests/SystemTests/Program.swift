import Foundation

/// Another program that runs beside the tests; what it writes is read line by line.
final class Program: Sendable {
  private let process: Process
  private let input: Pipe?
  private let outputLines = LogLines()
  private let errorLines = LogLines()
  /// A folder of its own, which goes with it.
  let folder: URL

  /// Starts it; it has nothing to read unless it `listens`.
  init(_ executable: URL, _ arguments: [String], in folder: URL, listens: Bool = false) throws {
    self.folder = folder
    input = listens ? Pipe() : nil
    process = Process()
    process.executableURL = executable
    process.arguments = arguments
    if let input { process.standardInput = input } else { process.standardInput = FileHandle.nullDevice }
    process.standardOutput = Self.pipe(to: outputLines)
    process.standardError = Self.pipe(to: errorLines)
    try process.run()
  }

  /// Starts one of the programs in Python, which can be told something.
  convenience init(peer name: String, _ arguments: [String], in folder: URL? = nil) throws {
    try self.init(
      URL(filePath: Root.python), [Root.peer(name)] + arguments, in: try folder ?? Root.temporaryFolder(),
      listens: true)
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
    // On a thread of its own: a dispatch source may outlive the descriptor that it watches.
    Thread.detachNewThread { [handle = pipe.fileHandleForReading] in
      var data = Data()
      repeat {
        data = handle.availableData
        lines.add(data)
      } while !data.isEmpty
    }
    return pipe
  }

  /// Tells it something.
  func tell(_ text: String) throws { try input?.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

  /// Tells it that there is nothing more to say.
  func tellEnd() throws { try input?.fileHandleForWriting.close() }

  var pid: Int32 { process.processIdentifier }
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
