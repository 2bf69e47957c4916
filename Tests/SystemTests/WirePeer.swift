import Foundation

/// A client that writes its own frames (`wire.py`): what it says comes line by line, and a line to it lets it go on.
final class WirePeer: Sendable {
  private let program: Program

  /// Starts it towards an address with a request's body.
  init(_ address: String, _ what: [String], body: Data) throws {
    let folder = try Root.temporaryFolder()
    let file = folder.appending(path: "body")
    try body.write(to: file)
    program = try Program(peer: "wire.py", [address] + what + ["--body", file.path], in: folder)
  }

  /// Waits for a line.
  func said(_ line: String) async throws { _ = try await program.outputLine { $0 == line } }

  /// Lets it go on.
  func go() throws { try program.tell("\n") }

  /// Waits for its end; all that it said.
  func end() async -> [String] {
    _ = try? await program.outputLine { $0 == "end" }
    return program.output.split(separator: "\n").map(String.init).dropLast()
  }
}
