import Foundation
import Testing

/// Peers that are silent, dribble or do not read: each is left after its time, counted, and costs nobody else anything.
@Suite(.fewAtOnce) struct TimeoutTests {
  private static let timeouts =
    "limits: {handshake_timeout: 500ms, header_timeout: 500ms, stall_timeout: 500ms, idle_timeout: 500ms}"

  /// What a kind of peer sees, and what it is counted as.
  struct Case: Sendable, CustomTestStringConvertible {
    var kind: String
    var closed: String?
    var cutOff: String?
    var testDescription: String { kind }
  }

  static let cases = [
    Case(kind: "silent", closed: "preface_timeout"), Case(kind: "preface", closed: "preface_timeout"),
    Case(kind: "head1", closed: "header_timeout"), Case(kind: "head2", closed: "header_timeout"),
    Case(kind: "body1", closed: "slow_body", cutOff: "slow_body"), Case(kind: "body2", cutOff: "slow_body"),
    Case(kind: "stop1", closed: "stalled"), Case(kind: "stop2", closed: "stalled"),
    Case(kind: "unread", cutOff: "unread_answer"), Case(kind: "idle", closed: "idle"),
  ]

  @Test(arguments: TestedRole.allCases) func eachIsLeftAndCounted(_ role: TestedRole) async throws {
    let process = try await role.start(Self.timeouts)
    let address = try await process.address("otlp_http")
    let peers = try Self.cases.map { ($0, try SlowPeer(address, $0.kind)) }
    for (_, peer) in peers { try await peer.started() }
    // Among them somebody is served as if they were not there.
    for _ in 0..<5 {
      #expect(try await Call.export(try await process.address("otlp_grpc"), try Traces.good(2)).code == "OK")
    }
    for (kind, peer) in peers {
      #expect(await peer.end().last == (kind.closed == nil ? "reset 8" : "closed"), "\(kind.kind)")
    }
    let scrape = try await process.scrape(until: { $0["longspan_connections"] == 0 }, "none is left")
    for reason in Set(Self.cases.compactMap(\.closed)) {
      let expected = Double(Self.cases.count { $0.closed == reason })
      #expect(scrape["longspan_connections_closed_total{reason=\"\(reason)\"}"] >= expected, "\(reason)")
    }
    #expect(scrape["longspan_requests_cut_off_total{reason=\"slow_body\"}"] == 2)
    #expect(scrape["longspan_requests_cut_off_total{reason=\"unread_answer\"}"] == 1)
    #expect(scrape.received == 10)
    scrape.expectBalanced()
    #expect(await process.end() == 0)
  }

  @Test func aHandshakeThatDribbles() async throws {
    let authority = try await Authority()
    let identity = try await authority.issue("DNS:localhost")
    let aggregator = try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0", tls: \(identity.receiver())}}}}
      admin: {endpoint: "127.0.0.1:0"}
      \(Self.timeouts)
      """)
    let address = try await aggregator.address("otlp_grpc")
    for kind in ["silent", "handshake"] { #expect(await (try SlowPeer(address, kind)).end() == ["open", "closed"]) }
    let scrape = try await aggregator.scrape()
    #expect(scrape["longspan_connections_closed_total{reason=\"handshake_timeout\"}"] == 2)
  }

  /// One address has used up its share; another has not.
  @Test(arguments: TestedRole.allCases) func oneConnectionTooManyOfOnePeer(_ role: TestedRole) async throws {
    let process = try await role.start(
      "limits: {max_connections: 5, max_connections_per_peer: 2, handshake_timeout: 1h}")
    let address = try await process.address("otlp_http")
    var held: [SlowPeer] = []
    func connect(from source: String, until condition: (Scrape) -> Bool) async throws {
      let peer = try SlowPeer(address, "hold", from: source)
      try await peer.started()
      _ = try await process.scrape(until: condition, "the connection is counted")
      held.append(peer)
    }
    let open = "longspan_connections"
    let refused = "longspan_connections_refused_total{limit="
    try await connect(from: "127.0.0.1") { $0[open] == 1 }
    try await connect(from: "127.0.0.1") { $0[open] == 2 }
    try await connect(from: "127.0.0.1") { $0[refused + "\"max_connections_per_peer\"}"] == 1 }
    try await connect(from: "127.0.0.2") { $0[open] == 3 && $0["longspan_connection_peers"] == 2 }
    try await connect(from: "127.0.0.2") { $0[open] == 4 }
    try await connect(from: "127.0.0.3") { $0[open] == 5 }
    try await connect(from: "127.0.0.3") { $0[refused + "\"max_connections\"}"] == 1 }
    let scrape = try await process.scrape()
    #expect(scrape[open] == 5)
    #expect(scrape[refused + "\"max_connections_per_peer\"}"] == 1)
    #expect(scrape["longspan_connections_accepted_total"] == 5)
  }
}
