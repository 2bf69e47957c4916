import Foundation
import TestKit
import Testing

/// Servers that Longspan has no part in, each with a certificate of its own (`tls_servers.py`).
final class ServerPark: Sendable {
  /// In the order of the certificates.
  let ports: [Int]
  private let program: Program

  init(_ identities: [Authority.Identity]) async throws {
    program = try Program(peer: "tls_servers.py", identities.flatMap { [$0.certificate, $0.key] })
    ports = try await program.outputLine { !$0.isEmpty }.split(separator: " ").compactMap { Int($0) }
    try #require(ports.count == identities.count)
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
    for _ in Attempts() {
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
