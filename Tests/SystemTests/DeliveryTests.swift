import Foundation
import TestKit
import Testing

/// What becomes of spans when the other side refuses, answers in part, goes away and comes back.
@Suite(.fewAtOnce) struct DeliveryTests {
  private func relay(_ sink: Sink, _ exporter: String = "compression: none") async throws -> LongspanProcess {
    try await Deployment.relay("us-east-1", to: "127.0.0.1:\(sink.port)", exporter: exporter)
  }

  private func send(_ count: Int, to process: LongspanProcess) async throws {
    #expect(try await Call.export(try await process.address("otlp_grpc"), try Traces.good(count)).code == "OK")
  }

  @Test(arguments: TestedRole.allCases) func refusedRequestsAreSentAgain(_ role: TestedRole) async throws {
    let sink = try Sink(refusing: 5)
    let process = try await role.start(sink: sink)
    let load = try await Load(process, "--requests", "20")
    let report = try await load.report()
    #expect(report.acknowledged.count == 1600)
    try await sink.expect(report.acknowledged)
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 1600)
    #expect(scrape.sum("longspan_exporter_requests_total", "code=\"UNAVAILABLE\"") == 5)
    #expect(scrape.sum("longspan_exporter_retries_total") == 5)
    #expect(scrape.sum("longspan_exporter_requests_total", "code=\"OK\"") == Double(sink.acceptances().count))
    scrape.expectBalanced()
  }

  @Test(arguments: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
  func thePeerSaysWhenToComeBack(_ code: String) async throws {
    let sink = try Sink(refusing: 1, "--retry-delay", "1.5", "--code", code)
    let relay = try await relay(sink)
    try await send(3, to: relay)
    #expect(try await sink.spans(atLeast: 3).count == 3)
    let (refused, accepted) = (try #require(sink.refusals().first), try #require(sink.acceptances().first))
    // Without the peer's wish it would have been 50 to 150 ms.
    #expect(accepted - refused >= 1.5)
    (try await relay.scrapeAtRest()).expectBalanced()
  }

  @Test(arguments: [
    "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED", "INTERNAL",
    "NOT_FOUND", "UNKNOWN", "FAILED_PRECONDITION", "ALREADY_EXISTS",
  ]) func permanentRefusalsEndABatch(_ code: String) async throws {
    let sink = try Sink(refusing: 1, "--code", code)
    let relay = try await relay(sink)
    try await send(4, to: relay)
    let lost = try await relay.scrapeAtRest()
    #expect(lost.outcome("undeliverable") == 4)
    #expect(lost.sum("longspan_exporter_requests_total", "code=\"\(code)\"") == 1)
    #expect(lost.sum("longspan_exporter_retries_total") == 0)
    lost.expectBalanced()
    _ = try await relay.logLine { $0.contains("could not be delivered") }
    try await send(2, to: relay)
    #expect(try await sink.spans(atLeast: 2).count == 2)
    #expect(sink.refusals().count == 1)
  }

  @Test(arguments: ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "DATA_LOSS"])
  func passingRefusalsDoNot(_ code: String) async throws {
    let sink = try Sink(refusing: 2, "--code", code)
    let relay = try await relay(sink)
    try await send(4, to: relay)
    #expect(try await sink.spans(atLeast: 4).count == 4)
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 4)
    #expect(sink.refusals().count == 2)
  }

  @Test func patienceHasTheEndThatWasConfigured() async throws {
    let sink = try Sink(refusing: 1_000_000)
    let relay = try await LongspanProcess.start(
      "relay",
      """
      region: us-east-1
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
      processors: {batch: {timeout: 10ms}}
      exporters:
        otlp:
          endpoint: "127.0.0.1:\(sink.port)"
          compression: none
          tls: {insecure: true}
          retry_on_failure: {initial_interval: 50ms, max_interval: 100ms, max_elapsed_time: 500ms}
      admin: {endpoint: "127.0.0.1:0"}
      """)
    try await send(4, to: relay)
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape.outcome("expired") == 4)
    #expect(sink.refusals().count >= 2)
    scrape.expectBalanced()
  }

  @Test func whatThePeerRejectsIsUndeliverable() async throws {
    let sink = try Sink(refusing: 0, "--reject", "2")
    let relay = try await relay(sink)
    try await send(9, to: relay)
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 7)
    #expect(scrape.outcome("undeliverable") == 2)
    #expect(try sink.spans().count == 9)
    #expect(sink.acceptances().count == 1)
    scrape.expectBalanced()
  }

  @Test func oneDeadExporterHoldsUpNobody() async throws {
    let (alive, port) = (try Sink(), try FreePort.pick())
    let aggregator = try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
      stitching: {idle_timeout: 1s}
      exporters:
        otlp/alive: {endpoint: "127.0.0.1:\(alive.port)", compression: none, tls: {insecure: true}}
        otlp/dead:
          endpoint: "127.0.0.1:\(port)"
          tls: {insecure: true}
          retry_on_failure: {initial_interval: 100ms, max_interval: 200ms}
      admin: {endpoint: "127.0.0.1:0"}
      """)
    let report = try await Load(aggregator, "--requests", "15").report()
    #expect(report.acknowledged.count == 1200)
    try await alive.expect(report.acknowledged)
    try expectWholeTraces(in: alive)
    let held = try await aggregator.scrape(until: { $0["longspan_held_spans{stage=\"queue\"}"] == 1200 }, "one waits")
    #expect(held.outcome("forwarded") == 0, "forwarded means handed to every exporter")
    held.expectBalanced()

    let back = try Sink(port: port)
    try await back.expect(report.acknowledged)
    try expectWholeTraces(in: back)
    let scrape = try await aggregator.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 1200)
    scrape.expectBalanced()
    #expect(await aggregator.end() == 0)
    #expect(try alive.spans().count == 1200)
  }

  /// Every span of a trace came in one request.
  private func expectWholeTraces(in sink: Sink) throws {
    var requestOf: [Data: Int] = [:]
    for (number, export) in try sink.exports().enumerated() {
      for span in export.resourceSpans.flatMap({ $0.scopeSpans.flatMap(\.spans) }) {
        #expect(requestOf[span.traceID, default: number] == number, "a trace came in pieces")
        requestOf[span.traceID] = number
      }
    }
  }

  /// An aggregator that is replaced under load, as a rollout does it.
  @Test func theAggregatorIsReplacedUnderLoad() async throws {
    let (sink, port) = (try Sink(), try FreePort.pick())
    func start() async throws -> LongspanProcess {
      try await LongspanProcess.start(
        "aggregator",
        """
        receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:\(port)"}}}}
        stitching: {idle_timeout: 1s}
        exporters: {otlp: {endpoint: "127.0.0.1:\(sink.port)", compression: none, tls: {insecure: true}}}
        admin: {endpoint: "127.0.0.1:0"}
        """)
    }
    let first = try await start()
    let relay = try await Deployment.relay("us-east-1", to: "127.0.0.1:\(port)")
    let load = try await Load(relay, "--pause", "0.01")
    _ = try await relay.scrape(until: { $0.outcome("forwarded") > 1000 }, "the load is under way")
    #expect(await first.end() == 0)
    let before = try await relay.scrape().received
    _ = try await relay.scrape(until: { $0.received > before + 500 }, "the relay takes on")
    let second = try await start()
    let forwarded = try await relay.scrape().outcome("forwarded")
    _ = try await relay.scrape(until: { $0.outcome("forwarded") > forwarded + 1000 }, "the relay delivers again")
    try load.stop()
    let report = try await load.report()
    try await sink.expect(report.acknowledged)
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == Double(report.acknowledged.count))
    scrape.expectBalanced()
    #expect(await relay.end() == 0)
    #expect(await second.end() == 0)
  }

  @Test(arguments: ["none", "gzip", "zstd"]) func compression(_ coding: String) async throws {
    let sink = try Sink()
    let aggregator = try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
      stitching: {idle_timeout: 1s}
      exporters: {otlp: {endpoint: "127.0.0.1:\(sink.port)", compression: gzip, tls: {insecure: true}}}
      admin: {endpoint: "127.0.0.1:0"}
      """)
    let relay = try await Deployment.relay(
      "us-east-1", to: try await aggregator.address("otlp_grpc"), exporter: "compression: \(coding)")
    let message = try Traces.good(500)
    #expect(try await Call.export(try await relay.address("otlp_grpc"), message).code == "OK")
    #expect(try await sink.spans(atLeast: 500).count == 500)
    let plain = Double(try sink.requests().reduce(0) { $0 + $1.count })
    let (first, second) = (try await relay.scrape(), try await aggregator.scrape())
    let sent = first["longspan_exporter_sent_bytes_total{exporter=\"otlp\"}"]
    let size = Double(message.count)
    #expect(coding == "none" ? sent >= size : sent < size * 0.9, "\(sent) of \(size)")
    #expect(second["longspan_exporter_sent_bytes_total{exporter=\"otlp\"}"] < plain * 0.8)
  }
}
