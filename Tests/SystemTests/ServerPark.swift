import Foundation
import Testing

/// Servers that Longspan has no part in, each with a certificate of its own (`tls_servers.py`).
final class ServerPark: Sendable {
  /// In the order of the certificates.
  let ports: [Int]
  private let process: Process
  private let input = Pipe()

  init(_ identities: [Authority.Identity]) throws {
    process = Process()
    process.executableURL = URL(filePath: Root.python)
    process.arguments = [Root.peer("tls_servers.py")] + identities.flatMap { [$0.certificate, $0.key] }
    process.standardInput = input
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    var line = Data()
    while !line.contains(0x0a) {
      let more = output.fileHandleForReading.availableData
      try #require(!more.isEmpty, "the servers ended before they listened")
      line.append(more)
    }
    ports = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
    try #require(ports.count == identities.count)
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
  }
}

/// What `/status` says of the destinations, by their exporters' names.
struct PeerStatus: Decodable {
  var name: String
  var connections: Int
  var last_error: String?

  /// It is known whether there is a connection.
  var isSettled: Bool { connections > 0 || last_error != nil }
}

extension LongspanProcess {
  /// The destinations, when it is known of each whether there is a connection.
  func settledPeers(location: SourceLocation = #_sourceLocation) async throws -> [String: PeerStatus] {
    struct Status: Decodable { var peers: [PeerStatus] }
    var peers: [PeerStatus] = []
    for _ in 0..<2000 {
      let run = try await Command.run("curl", ["-sS", "--fail", "http://\(try await address("admin"))/status"])
      #expect(run.status == 0, "\(run.errors)", sourceLocation: location)
      peers = try JSONDecoder().decode(Status.self, from: run.output).peers
      if peers.allSatisfy(\.isSettled) { break }
    }
    let open = peers.filter { !$0.isSettled }
    #expect(open.isEmpty, "\(open)", sourceLocation: location)
    return Dictionary(peers.map { ($0.name, $0) }) { first, _ in first }
  }
}
