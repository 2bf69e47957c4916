import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// A relay's exporters beside the aggregator.
@Suite(.fewAtOnce) struct LocalExporterTests {
  private func relay(to aggregator: String, storage: String? = nil, _ local: String..., more: String = "") async throws
    -> LongspanProcess
  {
    try await LongspanProcess.start(
      "relay",
      """
      region: us-east-1
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
      processors: {batch: {timeout: 50ms}, memory_limiter: {limit_mib: 256, spike_limit_mib: 32}}
      exporters:
        otlp:
          endpoint: "\(aggregator)"
          tls: {insecure: true}
          retry_on_failure: {initial_interval: 100ms, max_interval: 200ms}
          sending_queue: {\(storage.map { "storage: \"\($0)\"" } ?? "")}
      \(local.map { "  \($0)" }.joined(separator: "\n"))
      admin: {endpoint: "127.0.0.1:0"}
      shutdown_timeout: 2s
      \(more)
      """)
  }

  private func send(_ message: Data, to process: LongspanProcess) async throws {
    #expect(try await Call.export(try await process.address("otlp_grpc"), message).code == "OK")
  }

  private func sent(_ name: String, _ scrape: Scrape) -> Double {
    scrape["longspan_exporter_sent_spans_total{exporter=\"\(name)\"}"]
  }

  private func identities(_ sink: Sink) throws -> Set<String> {
    Set(try sink.spans().map { $0.spanID.map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined() })
  }

  /// They get what is forwarded, as it is forwarded: after sampling and the limits on baggage.
  @Test(arguments: [false, true]) func theyGetWhatIsForwarded(_ isStored: Bool) async throws {
    let (aggregator, http, zipkin) = (try Sink(), try await HTTPSink(.otlp), try await HTTPSink(.zipkin))
    let folder = try Root.temporaryFolder()
    let process = try await relay(
      to: "127.0.0.1:\(aggregator.port)", storage: isStored ? folder.appending(path: "queue").path : nil,
      "otlphttp/tempo: \(http.section())", "zipkin: \(zipkin.section())",
      "file: {path: \"\(folder.path)/traces.json\"}",
      more: """
        sampling: {type: probabilistic, param: 0.5}
        context: {baggage: {restrictions: {maxCount: 1}}}
        """)
    let spans = (0..<200).map { _ in
      var span = Traces.span("shop")
      span.attributes = ["a", "b", "c"].map { name in
        .with { ($0.key, $0.value.stringValue) = ("baggage.\(name)", "value-\(name)") }
      }
      return span
    }
    try await send(try Traces.request(spans).serializedBytes(), to: process)
    let scrape = try await process.scrape(
      until: { scrape in
        scrape.held == 0 && scrape.received == 200
          && ["otlphttp/tempo", "zipkin", "file"].allSatisfy { sent($0, scrape) == scrape.outcome("forwarded") }
      }, "all have the same")
    scrape.expectBalanced()
    let forwarded = Int(scrape.outcome("forwarded"))
    #expect(forwarded > 0 && forwarded < 200)
    let kept = try identities(aggregator)
    #expect(kept.count == forwarded)
    let lines = try String(contentsOf: folder.appending(path: "traces.json"), encoding: .utf8).split(separator: "\n")
    #expect(Set(try lines.flatMap { try FileLine(String($0)).spans.map(\.spanId) }) == kept)
    for sink in [http, zipkin] {
      #expect(Set(try sink.spans().map(\.id)) == kept)
      #expect(sink.wrong.isEmpty, "\(sink.wrong)")
      for request in try sink.requests() {
        #expect(request.text.contains("value-a") && !request.text.contains("value-b"))
      }
    }
    #expect(await process.end() == 0)
    try? FileManager.default.removeItem(at: folder)
  }

  /// Nobody waits for a local exporter, whatever has happened to its destination.
  @Test func aDestinationThatIsDownTakesNothingFromTheOthers() async throws {
    let (aggregator, alive) = (try Sink(), try await HTTPSink(.otlp))
    let hole = try await HTTPSink(.otlp, "--silent")
    let process = try await relay(
      to: "127.0.0.1:\(aggregator.port)", "otlphttp/alive: \(alive.section())",
      "otlphttp/hole: \(hole.section("timeout: 1s, sending_queue: {max_size_mib: 1}, compression: none"))",
      "otlphttp/dead: {endpoint: \"http://127.0.0.1:\(try FreePort.pick())\", sending_queue: {max_size_mib: 1}}")
    var sent = 0.0
    // What cannot be compressed: more than the queues of the two hold.
    for _ in 0..<8 {
      var span = Traces.span("large")
      span.attributes = [.with { ($0.key, $0.value.bytesValue) = ("noise", Traces.random(400_000)) }]
      try await send(try Traces.request([span]).serializedBytes(), to: process)
      sent += 1
    }
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == sent)
    #expect(scrape.sum("longspan_refused_requests_total") == 0)
    scrape.expectBalanced()
    #expect(Set(try await alive.spans(atLeast: Int(sent))).count == Int(sent))
    for name in ["otlphttp/hole", "otlphttp/dead"] {
      let missed = scrape["longspan_exporter_dropped_spans_total{exporter=\"\(name)\",reason=\"queue_full\"}"]
      #expect(missed > 0 && missed < sent, "\(name): \(missed)")
      #expect(scrape["longspan_exporter_queue_bytes{exporter=\"\(name)\"}"] <= 1_048_576)
    }
    #expect(await process.end() == 0)
    #expect(process.logText.contains("spans lost"))
  }

  @Test func theyGoOnWhileTheAggregatorIsDown() async throws {
    let local = try await HTTPSink(.otlp)
    let port = try FreePort.pick()
    let process = try await relay(to: "127.0.0.1:\(port)", "otlphttp/tempo: \(local.section())")
    try await send(try Traces.good(30), to: process)
    try await local.spans(atLeast: 30)
    let held = try await process.scrape(until: { sent("otlphttp/tempo", $0) == 30 }, "the local one has everything")
    #expect(held.outcome("forwarded") == 0 && held.held == 30)
    held.expectBalanced()
    let aggregator = try Sink(port: port)
    _ = try await aggregator.spans(atLeast: 30)
    #expect(try await process.scrapeAtRest().outcome("forwarded") == 30)
    #expect(try local.spans().count == 30)
  }

  @Test func aReloadLeadsElsewhere() async throws {
    let (aggregator, first, second) = (try Sink(), try await HTTPSink(.otlp), try await HTTPSink(.otlp))
    let process = try await relay(to: "127.0.0.1:\(aggregator.port)", "otlphttp/tempo: \(first.section())")
    try await send(try Traces.good(1), to: process)
    try await first.spans(atLeast: 1)
    let file = process.folder.appending(path: "relay.yaml")
    let text = try String(contentsOf: file, encoding: .utf8).replacing(first.url, with: second.url)
    try text.write(to: file, atomically: true, encoding: .utf8)
    kill(process.pid, SIGHUP)
    _ = try await process.scrape(until: { $0["longspan_config_generation"] == 2 }, "the second generation")
    try await send(try Traces.good(2), to: process)
    try await second.spans(atLeast: 2)
    #expect(try first.spans().count == 1)
    #expect(try await process.scrapeAtRest().outcome("forwarded") == 3)
    // One more is a matter for a restart.
    try text.replacing("\nadmin:", with: "\n  debug:\nadmin:").write(to: file, atomically: true, encoding: .utf8)
    kill(process.pid, SIGHUP)
    #expect(try await process.logLine { $0.contains("restart") }.contains("exporters"))
  }
}
