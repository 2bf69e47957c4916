import Foundation

/// A client that writes its own frames (`wire.py`): what it says comes line by line, and a line to it lets it go on.
final class WirePeer: Sendable {
  private let process = Process()
  private let input = Pipe()
  private let lines = LogLines()
  private let folder: URL

  /// Starts it towards an address with a request's body.
  init(_ address: String, _ what: [String], body: Data) throws {
    folder = try Root.temporaryFolder()
    let file = folder.appending(path: "body")
    try body.write(to: file)
    process.executableURL = URL(filePath: Root.python)
    process.arguments = [Root.peer("wire.py"), address] + what + ["--body", file.path]
    process.standardInput = input
    let output = Pipe()
    process.standardOutput = output
    output.fileHandleForReading.readabilityHandler = { [lines] handle in
      let data = handle.availableData
      if data.isEmpty { handle.readabilityHandler = nil }
      lines.add(data)
    }
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    try? FileManager.default.removeItem(at: folder)
  }

  /// Waits for a line.
  func said(_ line: String) async throws { _ = try await lines.first { $0 == line } }

  /// Lets it go on.
  func go() throws { try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8)) }

  /// Waits for its end; all that it said.
  func end() async -> [String] {
    _ = try? await lines.first { $0 == "end" }
    return lines.text.split(separator: "\n").map(String.init).dropLast()
  }
}
