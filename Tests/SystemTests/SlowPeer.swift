import Foundation

/// A client that does not do its part (`slow.py`).
final class SlowPeer: Sendable {
  private let program: Program

  /// Starts it towards an address.
  init(_ address: String, _ kind: String, from source: String = "127.0.0.1") throws {
    program = try Program(peer: "slow.py", [address, kind, "--source", source])
  }

  /// Waits until it is at it, or was sent away.
  func started() async throws { _ = try await program.outputLine { $0 == "open" || $0 == "closed" } }

  /// Waits for its end; all that it said.
  func end() async -> [String] {
    _ = try? await program.outputLine { $0 == "end" }
    return program.output.split(separator: "\n").map(String.init).dropLast()
  }
}
