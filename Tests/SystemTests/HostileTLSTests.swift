import Foundation
import Testing

/// TLS peers that mean harm: each is counted under a name and left, memory stays flat, and an honest client beside them
/// notices nothing.
@Suite(.fewAtOnce) struct HostileTLSTests {
  private func aggregator(_ authority: Authority) async throws -> LongspanProcess {
    let tls = try await authority.issue("DNS:localhost").receiver()
    return try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0", tls: \(tls)}}}}
      limits: {handshake_timeout: 5s, max_connections_per_peer: 0}
      admin: {endpoint: "127.0.0.1:0"}
      """)
  }

  private func localhost(_ process: LongspanProcess) async throws -> String {
    try await process.address("otlp_http").replacing("127.0.0.1", with: "localhost")
  }

  @Test func attacksAreCountedAndHurtNobody() async throws {
    let authority = try await Authority()
    let aggregator = try await aggregator(authority)
    let before = try aggregator.residentMemory()
    let attacks =
      ["half=120", "garbage=60", "oversized=20", "endless=20", "ccs=20", "alerts=20", "pieces=20"]
      + ["renegotiate=3", "keys=1", "tiny=1", "handshakes=100"]
    let peer = try Program(
      peer: "hostile_tls.py", [try await localhost(aggregator), "--ca", authority.certificate] + attacks)
    _ = try await peer.outputLine { $0 == "handshakes 100" }
    // Those who began a handshake and went no further are still there; they get the time that it may take.
    let scrape = try await aggregator.scrape(
      until: { $0.closed("handshake_timeout") >= 120 }, "half a handshake has its end")
    try peer.tellEnd()
    let said = await peer.wholeOutput().split(separator: "\n").map(String.init)
    #expect(await peer.exitStatus() == 0, "\(peer.errors)")
    let wanted = attacks.map { $0.replacing("half=", with: "held=").replacing("=", with: " ") }
    #expect(said.dropFirst().dropLast() == wanted[...], "\(said)")
    // On its old connection and on new ones, before the attacks, after each and at the end.
    let posts = 2 * (attacks.count + 2)
    #expect(said.last == "bystander \(posts) \(posts)", "\(said)")

    #expect(scrape.closed("tls_handshake_failed") + scrape.closed("tls_refused_by_peer") == 120, "\(scrape.text)")
    // An endless hello, and new keys without end.
    #expect(scrape.closed("tls_flood") == 21)
    #expect(scrape.closed("tls_renegotiation") == 3)
    #expect(scrape.refused("malformed") == 0)
    #expect(aggregator.isRunning)
    // A few tens of KiB for each connection that stays, and what the allocator keeps.
    let grown = try aggregator.residentMemory() - before
    #expect(grown < 64 << 20, "grew by \(grown) bytes")
  }

  @Test func aScannerIsContent() async throws {
    let authority = try await Authority()
    let aggregator = try await aggregator(authority)
    let report = aggregator.folder.appending(path: "sslyze.json")
    // Its own warnings about the stores of trust it brings are not ours.
    let run = try await Command.run(
      Root.python,
      ["-W", "ignore", "-m", "sslyze", "--mozilla_config=intermediate", "--early_data", "--resum", "--json_out"]
        + [report.path, "--certinfo_ca_file", authority.certificate, try await localhost(aggregator)])
    #expect(run.status == 0, "\(run.text.suffix(2000))\(run.errors)")
    #expect(run.text.contains("OK - Compliant"), "\(run.text.suffix(2000))")
    let scan = try JSONDecoder().decode(Scan.self, from: try Data(contentsOf: report))
    let result = try #require(scan.server_scan_results.first?.scan_result)
    for old in [result.ssl_2_0_cipher_suites, result.ssl_3_0_cipher_suites, result.tls_1_0_cipher_suites] {
      #expect(old.result?.accepted_cipher_suites.isEmpty == true)
    }
    #expect(result.tls_1_1_cipher_suites.result?.accepted_cipher_suites.isEmpty == true)
    let suites = (result.tls_1_2_cipher_suites.result?.accepted_cipher_suites ?? []).map(\.cipher_suite.name)
    #expect(suites.count == 3)
    for name in suites {
      #expect(name.contains("ECDHE"), "\(name)")
      #expect(name.contains("GCM") || name.contains("CHACHA20_POLY1305"), "\(name)")
    }
    #expect(result.tls_1_3_cipher_suites.result?.accepted_cipher_suites.count == 3)
    #expect(result.tls_compression.result?.supports_compression == false)
    #expect(result.tls_1_3_early_data.result?.supports_early_data == false)
    #expect(result.session_renegotiation.result?.is_vulnerable_to_client_renegotiation_dos == false)
    #expect(result.session_renegotiation.result?.supports_secure_renegotiation == true)
  }
}

/// What is read of sslyze's report, under its names.
private struct Scan: Decodable {
  struct Server: Decodable { var scan_result: Result }
  struct Attempt<Value: Decodable>: Decodable { var result: Value? }
  struct Suites: Decodable {
    struct Accepted: Decodable { var cipher_suite: Suite }
    struct Suite: Decodable { var name: String }
    var accepted_cipher_suites: [Accepted]
  }
  struct Compression: Decodable { var supports_compression: Bool }
  struct EarlyData: Decodable { var supports_early_data: Bool }
  struct Renegotiation: Decodable {
    var is_vulnerable_to_client_renegotiation_dos: Bool
    var supports_secure_renegotiation: Bool
  }
  struct Result: Decodable {
    var ssl_2_0_cipher_suites: Attempt<Suites>
    var ssl_3_0_cipher_suites: Attempt<Suites>
    var tls_1_0_cipher_suites: Attempt<Suites>
    var tls_1_1_cipher_suites: Attempt<Suites>
    var tls_1_2_cipher_suites: Attempt<Suites>
    var tls_1_3_cipher_suites: Attempt<Suites>
    var tls_compression: Attempt<Compression>
    var tls_1_3_early_data: Attempt<EarlyData>
    var session_renegotiation: Attempt<Renegotiation>
  }
  var server_scan_results: [Server]
}

extension Scrape {
  /// Connections that were closed for this.
  fileprivate func closed(_ reason: String) -> Double {
    self["longspan_connections_closed_total{reason=\"\(reason)\"}"]
  }
}
