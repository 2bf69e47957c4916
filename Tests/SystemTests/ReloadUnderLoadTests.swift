import Foundation
import TestKit
import Testing

/// SIGHUP again and again while clients send: no request fails, no connection is dropped, nothing is lost or sent twice.
@Suite(.fewAtOnce) struct ReloadUnderLoadTests {
  private static let expiry = "longspan_tls_certificate_expiry_seconds"
  private static let generation = "longspan_config_generation"
  private static let failures = "longspan_config_reload_failures_total"

  /// A process whose file is rewritten; it knows what its metrics are to say.
  private struct Reloaded {
    let process: LongspanProcess
    let role: String
    var generation = 1.0
    var failures = 0.0

    /// Writes a file, and waits until it is in force or refused.
    mutating func reload(_ text: String, isValid: Bool = true) async throws -> Scrape {
      let file = process.folder.appending(path: "\(role).yaml")
      try text.write(to: file, atomically: true, encoding: .utf8)
      kill(process.pid, SIGHUP)
      if isValid { generation += 1 } else { failures += 1 }
      let (generation, failures) = (generation, failures)
      return try await process.scrape(
        until: {
          $0[ReloadUnderLoadTests.generation] == generation && $0[ReloadUnderLoadTests.failures] == failures
        }, "generation \(generation) with \(failures) refused")
    }
  }

  /// What a file may have wrong with it: its words, its form, a certificate that is not there.
  private static func broken(_ number: Int, _ good: String, _ file: String) -> String {
    switch number % 3 {
    case 0: good + "\nnonsense: true\n"
    case 1: good + "\nlimits: [\n"
    default: good.replacing(file, with: file + ".missing")
    }
  }

  private func expectUndisturbed(_ process: LongspanProcess, _ report: Load.Report, senders: Int) async throws {
    #expect(Set(report.answers.keys).isSubset(of: ["OK", "200"]), "\(report.answers) \(process.logText)")
    #expect(report.acknowledged.count > 100)
    let scrape = try await process.scrapeAtRest()
    scrape.expectBalanced()
    #expect(scrape["longspan_connections_accepted_total"] == Double(senders), "no connection was made anew")
    #expect(scrape.sum("longspan_connections_closed_total") == 0)
    #expect(scrape.sum("longspan_refused_requests_total") == 0)
    #expect(scrape.outcome("undeliverable") == 0)
  }

  @Test func aRelay() async throws {
    let authority = try await Authority()
    let server = try await authority.issue("DNS:localhost", "IP:127.0.0.1")
    let clients = [try await authority.issue("DNS:a"), try await authority.issue("DNS:b", days: 5)]
    let sink = try Sink()
    var aggregators: [LongspanProcess] = []
    for _ in 0..<2 {
      aggregators.append(
        try await LongspanProcess.start(
          "aggregator",
          """
          receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0", tls: \(server.receiver(clients: authority))}}}}
          stitching: {idle_timeout: 300ms}
          exporters: {otlp: {endpoint: "127.0.0.1:\(sink.port)", compression: none, tls: {insecure: true}}}
          admin: {endpoint: "127.0.0.1:0"}
          """))
    }
    var targets: [String] = []
    for aggregator in aggregators { targets.append(try await aggregator.address("otlp_grpc")) }
    func text(_ number: Int) -> String {
      Deployment.relayText(
        "us-east-1", to: targets[number / 2 % 2], tls: authority.exporter(clients[number / 3 % 2]),
        exporter: "connections: \(1 + number % 4)",
        more:
          "limits: {max_concurrent_streams: \(100 + number)}\nroutes: [{from: a, to: \"b\(number)\", sampling: 0.5}]")
    }
    var relay = Reloaded(process: try await LongspanProcess.start("relay", text(0)), role: "relay")
    let load = try await Load(relay.process, senders: 4, "--pause", "0.01")
    _ = try await relay.process.scrape(until: { $0.received > 100 }, "the load is under way")
    var expiries: Set<Double> = []
    for number in 1...24 {
      let scrape = try await relay.reload(text(number))
      expiries.insert(scrape[Self.expiry])
      if number <= 4 {
        _ = try await aggregators[number / 2 % 2].scrape(until: { $0.received > 0 }, "it has its turn")
      }
      if number % 3 == 0 {
        let bad = Self.broken(number / 3, text(number + 2), clients[(number + 2) / 3 % 2].certificate)
        let refused = try await relay.reload(bad, isValid: false)
        #expect(refused[Self.expiry] == scrape[Self.expiry])
      }
    }
    #expect(expiries.count == 2, "each certificate in its turn")
    try load.stop()
    let report = try await load.report()
    try await expectUndisturbed(relay.process, report, senders: 4)
    try await sink.expect(report.acknowledged)
    for aggregator in aggregators {
      let scrape = try await aggregator.scrapeAtRest()
      #expect(scrape.received > 0, "both had their turn")
      #expect(scrape.outcome("duplicate") == 0)
    }
    #expect(await relay.process.end() == 0)
  }

  @Test func anAggregator() async throws {
    let authority = try await Authority()
    let identities = [try await authority.issue("DNS:localhost"), try await authority.issue("DNS:localhost", days: 5)]
    let sinks = [try Sink(), try Sink()]
    func text(_ number: Int) -> String {
      """
      receivers:
        otlp:
          protocols:
            grpc: {endpoint: "127.0.0.1:0", tls: \(identities[number / 3 % 2].receiver())}
            http: {endpoint: "127.0.0.1:0"}
      limits: {max_connections: \(100 + number), max_request_mib: \(1 + number % 4)}
      stitching: {idle_timeout: \(300 + number)ms, max_live_traces: \(100_000 + number), memory_limit_mib: \(500 + number)}
      exporters:
        otlp:
          endpoint: "127.0.0.1:\(sinks[number / 2 % 2].port)"
          compression: \(number % 2 == 0 ? "none" : "gzip")
          tls: {insecure: true}
      admin: {endpoint: "127.0.0.1:0"}
      """
    }
    var aggregator = Reloaded(process: try await LongspanProcess.start("aggregator", text(0)), role: "aggregator")
    let load = try Load(
      grpc: nil, http: try await aggregator.process.address("otlp_http"), senders: 4, ["--pause", "0.01"])
    _ = try await aggregator.process.scrape(until: { $0.received > 100 }, "the load is under way")
    var expiries: Set<Double> = []
    for number in 1...24 {
      let scrape = try await aggregator.reload(text(number))
      expiries.insert(scrape[Self.expiry])
      #expect(scrape["longspan_memory_limit_bytes"] == Double((500 + number) << 20))
      if number <= 4 { _ = try await sinks[number / 2 % 2].spans(atLeast: 1) }
      if number % 3 == 0 {
        let bad = Self.broken(number / 3, text(number + 2), identities[(number + 2) / 3 % 2].certificate)
        let refused = try await aggregator.reload(bad, isValid: false)
        #expect(refused[Self.expiry] == scrape[Self.expiry])
        #expect(refused["longspan_memory_limit_bytes"] == scrape["longspan_memory_limit_bytes"])
      }
    }
    #expect(expiries.count == 2, "each certificate in its turn")
    try load.stop()
    let report = try await load.report()
    try await expectUndisturbed(aggregator.process, report, senders: 4)
    var came: [String] = []
    for sink in sinks {
      let spans = try sink.spans().map { $0.spanID.map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined() }
      #expect(!spans.isEmpty, "both had their turn")
      came += spans
    }
    #expect(came.count == Set(came).count, "a span came twice")
    #expect(Set(report.acknowledged).isSubset(of: Set(came)))
    #expect(await aggregator.process.end() == 0)
  }

  /// The back end that is not there is replaced by one that is: what was held goes there.
  @Test(arguments: TestedRole.allCases) func anotherEndpointTakesWhatWasHeld(_ role: TestedRole) async throws {
    let sink = try Sink()
    let nowhere = try FreePort.pick()
    func text(_ port: Int) -> String {
      """
      \(role == .relay ? "region: us-east-1" : "stitching: {idle_timeout: 100ms}")
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
      exporters: {otlp: {endpoint: "127.0.0.1:\(port)", compression: none, tls: {insecure: true}}}
      admin: {endpoint: "127.0.0.1:0"}
      """
    }
    var process = Reloaded(process: try await LongspanProcess.start(role.rawValue, text(nowhere)), role: role.rawValue)
    #expect(try await Call.export(try await process.process.address("otlp_grpc"), try Traces.good(7)).code == "OK")
    _ = try await process.process.logLine { $0.contains("no connection") }
    _ = try await process.reload(text(sink.port))
    #expect(try await sink.spans(atLeast: 7).count == 7)
    try await process.process.scrapeAtRest().expectBalanced()
  }

  @Test func limitsHoldAtOnce() async throws {
    let nowhere = try FreePort.pick()
    func text(_ limits: String) -> String {
      Deployment.relayText("us-east-1", to: "127.0.0.1:\(nowhere)", more: limits)
    }
    var relay = Reloaded(
      process: try await LongspanProcess.start("relay", text("limits: {max_request_mib: 4}")), role: "relay")
    let address = try await relay.process.address("otlp_grpc")
    let large = try Traces.good(bytes: 2 << 20)
    #expect(try await Call.export(address, large).code == "OK")
    let less = try await relay.reload(
      text("limits: {max_request_mib: 1, max_connections_per_peer: 1}")
        .replacing("processors: {", with: "processors: {memory_limiter: {limit_mib: 9, spike_limit_mib: 1}, ")
        .replacing("tls: {insecure", with: "sending_queue: {max_size_mib: 7}\n    tls: {insecure"))
    #expect(less["longspan_memory_limit_bytes"] == Double(9 << 20))
    #expect(less["longspan_memory_soft_limit_bytes"] == Double(8 << 20))
    #expect(less["longspan_exporter_queue_capacity_bytes{exporter=\"otlp\"}"] == Double(7 << 20))
    #expect(try await Call.export(address, large).code == "RESOURCE_EXHAUSTED")
    let held = try SlowPeer(try await relay.process.address("otlp_http"), "stop1")
    try await held.started()
    _ = try await relay.process.scrape(until: { $0["longspan_connections"] == 1 }, "one is open")
    #expect(try await Call.export(address, try Traces.good()).code == "UNAVAILABLE", "the second of this address")
    let more = try await relay.reload(text("limits: {max_request_mib: 8, stall_timeout: 200ms}"))
    let stopped = try SlowPeer(try await relay.process.address("otlp_http"), "stop1")
    #expect(await stopped.end() == ["open", "closed"])
    #expect(more["longspan_memory_limit_bytes"] == Double(512 << 20))
    #expect(try await Call.export(address, large).code == "OK")
    relay.process.logText.expectNoRestart()
  }
}

extension String {
  fileprivate func expectNoRestart() { #expect(!contains("restart"), "\(self)") }
}
