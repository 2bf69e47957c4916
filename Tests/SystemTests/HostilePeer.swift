import Foundation

/// Clients that do over HTTP/2 what none should (`hostile_http2.py`), one after the other.
final class HostilePeer: Sendable {
  /// What a client saw.
  struct Seen: Decodable, Sendable {
    var status: [String: Int]?
    var reset: [String: Int]?
    var goaway: UInt32?
    var closed: Bool?
    var sent: Int?
    var error: String?
  }

  private let program: Program

  /// Starts it towards a listener; `kind` is `grpc` or `http`.
  init(_ address: String, kind: String) throws {
    program = try Program(peer: "hostile_http2.py", [address, kind])
  }

  /// Makes one attack, each once.
  func attack(_ name: String) async throws -> Seen {
    try program.tell(name + "\n")
    let line = try await program.outputLine { $0.contains("\"attack\": \"\(name)\"") }
    return try JSONDecoder().decode(Seen.self, from: Data(line.utf8))
  }
}
