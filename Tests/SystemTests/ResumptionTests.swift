import Foundation
import Testing

/// Whoever resumes a session skips the certificates, so no session may outlive the trust it was made under.
@Suite(.fewAtOnce) struct ResumptionTests {
  /// What `openssl s_client` saw of one connection on which it asked for `/`.
  private struct Visit {
    var text: String
    var isResumed: Bool { text.contains("\nReused, TLSv1") }
    var isNew: Bool { text.contains("\nNew, TLSv1") }
    var isServed: Bool { text.contains("HTTP/1.1 404") }
    var isRefused: Bool { !isServed && text.contains("alert") }
  }

  private func visit(_ address: String, _ options: [String]) async throws -> Visit {
    let run = try await Command.run(
      "openssl", ["s_client", "-connect", address, "-ign_eof"] + options, input: Data("GET / HTTP/1.0\r\n\r\n".utf8))
    return Visit(text: run.text + run.errors)
  }

  private func text(_ open: Authority.Identity, http: String) -> String {
    """
    receivers:
      otlp:
        protocols:
          grpc: {endpoint: "127.0.0.1:0", tls: \(open.receiver())}
          http: {endpoint: "127.0.0.1:0", tls: \(http)}
    admin: {endpoint: "127.0.0.1:0"}
    """
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func noSessionOutlivesItsTrust(_ version: String) async throws {
    let (first, second) = (try await Authority(), try await Authority())
    let server = try await first.issue("IP:127.0.0.1")
    let aggregator = try await LongspanProcess.start("aggregator", text(server, http: server.receiver()))
    let address = try await aggregator.address("otlp_http")
    func reload(_ generation: Double, clients: Authority) async throws {
      let new = text(server, http: server.receiver(clients: clients))
      let file = aggregator.folder.appending(path: "aggregator.yaml")
      try new.write(to: file, atomically: true, encoding: .utf8)
      kill(aggregator.pid, SIGHUP)
      _ = try await aggregator.scrape(until: { $0["longspan_config_generation"] == generation }, "it is reloaded")
    }
    func file(_ name: String) -> String { aggregator.folder.appending(path: name).path }
    /// Resumes, where there is anything to resume.
    func resuming(_ name: String) -> [String] {
      FileManager.default.fileExists(atPath: file(name)) ? ["-sess_in", file(name)] : []
    }

    // Where nobody needs a certificate, sessions are resumed: what follows would notice.
    let opened = try await visit(address, [version, "-sess_out", file("open")])
    #expect(opened.isNew && opened.isServed, "\(opened.text)")
    #expect(!resuming("open").isEmpty)
    let again = try await visit(address, [version] + resuming("open"))
    #expect(again.isResumed && again.isServed, "\(again.text)")
    // But not from one listener to another.
    let elsewhere = try await visit(try await aggregator.address("otlp_grpc"), [version] + resuming("open"))
    #expect(elsewhere.isNew && !elsewhere.isResumed, "\(elsewhere.text)")

    // From now on certificates are demanded. A session from before is none.
    try await reload(2, clients: first)
    let stale = try await visit(address, [version] + resuming("open"))
    #expect(!stale.isResumed && stale.isRefused, "\(stale.text)")
    let one = try await first.issue("DNS:one.example")
    let asOne = [version, "-cert", one.certificate, "-key", one.key]
    let known = try await visit(address, asOne + resuming("open") + ["-sess_out", file("known")])
    #expect(known.isNew && !known.isResumed && known.isServed, "\(known.text)")
    let knownAgain = try await visit(address, asOne + resuming("known"))
    #expect(!knownAgain.isResumed && knownAgain.isServed, "\(knownAgain.text)")

    // Now another authority's. What the first one signed is worth nothing, with its session or without.
    try await reload(3, clients: second)
    for options in [asOne + resuming("known"), asOne, [version] + resuming("known")] {
      let former = try await visit(address, options)
      #expect(!former.isResumed && former.isRefused, "\(former.text)")
    }
    let two = try await second.issue("DNS:two.example")
    let welcome = try await visit(address, [version, "-cert", two.certificate, "-key", two.key] + resuming("known"))
    #expect(welcome.isNew && welcome.isServed, "\(welcome.text)")
    let scrape = try await aggregator.scrape()
    #expect(scrape["longspan_connections_closed_total{reason=\"tls_verification_failed\"}"] == 4)
  }
}
