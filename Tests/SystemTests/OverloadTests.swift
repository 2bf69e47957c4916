import Foundation
import TestKit
import Testing

/// More than there is room for: refused in the words senders understand, and nothing that was acknowledged is lost.
@Suite(.fewAtOnce) struct OverloadTests {
  /// A cap that is reached while nobody takes what is held.
  enum Cap: String, CaseIterable {
    case relayQueue
    case relayMemory
    case aggregatorQueue
    case aggregatorMemory
  }

  private func start(_ cap: Cap, to port: Int) async throws -> LongspanProcess {
    let retry = "retry_on_failure: {initial_interval: 50ms, max_interval: 200ms}"
    let queue = cap == .relayQueue || cap == .aggregatorQueue ? "sending_queue: {max_size_mib: 1}" : ""
    let exporter = """
      exporters:
        otlp:
          endpoint: "127.0.0.1:\(port)"
          compression: none
          tls: {insecure: true}
          \(retry)
          \(queue)
      """
    let receivers = """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
      admin: {endpoint: "127.0.0.1:0"}
      """
    switch cap {
    case .relayQueue, .relayMemory:
      let memory = cap == .relayMemory ? ", memory_limiter: {limit_mib: 4, spike_limit_mib: 2}" : ""
      return try await LongspanProcess.start(
        "relay", "region: us-east-1\n\(receivers)\nprocessors: {batch: {timeout: 20ms}\(memory)}\n\(exporter)")
    case .aggregatorQueue, .aggregatorMemory:
      let memory = cap == .aggregatorMemory ? ", memory_limit_mib: 8" : ""
      return try await LongspanProcess.start(
        "aggregator", "\(receivers)\nstitching: {idle_timeout: 1s\(memory)}\n\(exporter)")
    }
  }

  @Test(arguments: Cap.allCases) func refusalsLoseNothing(_ cap: Cap) async throws {
    let port = try FreePort.pick()
    let process = try await start(cap, to: port)
    let load = try await Load(process, senders: 4, "--padding", "2000", "--spans", "40", "--pause", "0.05")
    let full = try await process.scrape(until: { $0.refused("overload") >= 50 }, "there is no room")
    let received = full.received
    #expect(received > 0)
    #expect(process.isRunning)

    let call = try await Call.export(try await process.address("otlp_grpc"), try Traces.good())
    if call.code != "OK" {
      #expect(call.code == "UNAVAILABLE", "\(call)")
      #expect(call.retry_delay ?? 0 > 0, "\(call)")
    }
    // The back end comes, and by itself there is room again.
    let sink = try Sink(port: port)
    _ = try await process.scrape(until: { $0.received > received + 2000 }, "there is room again")
    try load.stop()
    let report = try await load.report()
    #expect(report.answers["UNAVAILABLE"] ?? 0 > 0, "\(report.answers)")
    #expect(report.answers["503"] ?? 0 > 0, "\(report.answers)")
    #expect(report.hintless == 0, "\(report.answers)")
    #expect(report.retry_hints ?? 0 >= 1)
    try await sink.expect(report.acknowledged)
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("over_budget") == 0)
    #expect(scrape.outcome("undeliverable") == 0)
    scrape.expectBalanced()
    #expect(await process.end() == 0)
  }

  @Test(arguments: TestedRole.allCases) func oneConnectionTooMany(_ role: TestedRole) async throws {
    let process = try await role.start("limits: {max_connections: 3}")
    let address = try await process.address("otlp_http")
    let many = try WirePeer(address, ["connections", "4"], body: try Traces.good())
    try await many.said("open")
    let full = try await process.scrape()
    #expect(full["longspan_connections"] == 3)
    #expect(full["longspan_connections_refused_total{limit=\"max_connections\"}"] == 1)
    try many.go()
    #expect(await many.end() == ["status 200", "status 200", "status 200", "refusing", "open"])
    // Those that ended make room.
    _ = try await process.scrape(until: { $0["longspan_connections"] == 0 }, "all have ended")
    let again = try WirePeer(address, ["connections", "3"], body: try Traces.good())
    try await again.said("open")
    try again.go()
    #expect(await again.end() == ["status 200", "status 200", "status 200", "open"])
    let scrape = try await process.scrape()
    #expect(scrape.received == 6)
    scrape.expectBalanced()
  }

  @Test(arguments: TestedRole.allCases) func oneStreamTooMany(_ role: TestedRole) async throws {
    let process = try await role.start("limits: {max_concurrent_streams: 4}")
    let address = try await process.address("otlp_http")
    let allowed = try WirePeer(address, ["streams", "4"], body: try Traces.good())
    #expect(await allowed.end() == Array(repeating: "status 200", count: 4))
    // Of a peer that was told the number and goes past it, the streams that are too many are refused, and no others.
    let many = try WirePeer(address, ["streams", "5"], body: try Traces.good())
    #expect(await many.end().sorted() == ["reset 7"] + Array(repeating: "status 200", count: 4))
    let next = try WirePeer(address, ["streams", "4"], body: try Traces.good())
    #expect(await next.end() == Array(repeating: "status 200", count: 4))
    let scrape = try await process.scrape()
    #expect(scrape.received == 12)
    #expect(scrape.sum("longspan_http2_refused_streams_total") == 1)
    #expect(scrape.sum("longspan_connections_closed_total") == 0)
    scrape.expectBalanced()
  }
}
