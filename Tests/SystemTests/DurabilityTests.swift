import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// kill -9, a dead destination, a damaged file: what was acknowledged with storage is still there.
@Suite(.fewAtOnce) struct DurabilityTests {
  private let folder: URL
  private var path: String { folder.appending(path: "storage").path }

  init() throws { folder = try Root.temporaryFolder() }

  private func relay(_ port: Int, queue: String = "", more: String = "") async throws -> LongspanProcess {
    try await Deployment.relay(
      "us-east-1", to: "127.0.0.1:\(port)",
      exporter: "sending_queue: {storage: \"\(path)\"\(queue.isEmpty ? "" : ", " + queue)}", more: more)
  }

  private func aggregator(
    _ sinks: [(name: String, port: Int)], idle: String = "1s", grpc: Int = 0, more: String = ""
  ) async throws -> LongspanProcess {
    let exporters = sinks.map { sink in
      """
        otlp/\(sink.name):
          endpoint: "127.0.0.1:\(sink.port)"
          compression: none
          tls: {insecure: true}
          retry_on_failure: {initial_interval: 50ms, max_interval: 200ms}
      """
    }
    return try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:\(grpc)"}, http: {endpoint: "127.0.0.1:0"}}}}
      stitching: {idle_timeout: \(idle), storage: "\(path)"}
      \(exporters.isEmpty ? "" : "exporters:\n" + exporters.joined(separator: "\n"))
      admin: {endpoint: "127.0.0.1:0"}
      \(more)
      """)
  }

  private func send(_ data: Data, to process: LongspanProcess) async throws {
    #expect(try await Call.export(try await process.address("otlp_grpc"), data).code == "OK", "\(process.logText)")
  }

  // MARK: The relay's queue

  @Test func aKilledRelaySendsWhatItHad() async throws {
    let port = try FreePort.pick()
    let first = try await relay(port)
    for _ in 0..<5 { try await send(try Traces.good(20), to: first) }
    let before = try await first.scrape()
    #expect(before.held == 100)
    before.expectBalanced()
    #expect(await first.end(SIGKILL) != 0)

    let second = try await relay(port)
    let held = try await second.scrape()
    #expect(held.received == 100 && held.sum("longspan_held_spans", "queue") == 100, "\(second.logText)")
    held.expectBalanced()
    let sink = try Sink(port: port)
    #expect(try await sink.spans(atLeast: 100).count == 100)
    let rest = try await second.scrapeAtRest()
    #expect(rest.outcome("forwarded") == 100)
    _ = try await second.scrape(until: { $0["longspan_storage_bytes"] == 0 }, "nothing stays on disk")
    #expect(await second.end(SIGKILL) != 0)
    let third = try await relay(port)
    #expect(try await third.scrape().received == 0, "what was delivered is gone")
    #expect(try sink.spans().count == 100)
  }

  @Test func aDrainWithoutADestinationLeavesEverythingOnDisk() async throws {
    let port = try FreePort.pick()
    let first = try await relay(port, more: "shutdown_timeout: 500ms")
    try await send(try Traces.good(7), to: first)
    #expect(await first.end() == 0)
    #expect(first.logText.contains("stay on disk") && first.logText.contains("spans=7"), "\(first.logText)")
    #expect(!first.logText.contains("lost"), "\(first.logText)")
    let sink = try Sink(port: port)
    let second = try await relay(port)
    #expect(try await sink.spans(atLeast: 7).count == 7)
    (try await second.scrapeAtRest()).expectBalanced()
  }

  @Test func aFullQueueRefusesAndLosesNothing() async throws {
    let port = try FreePort.pick()
    let relay = try await relay(port, queue: "max_size_mib: 1")
    let load = try await Load(relay, senders: 2, "--padding", "2000", "--spans", "40")
    let full = try await relay.scrape(until: { $0.refused("overload") >= 5 }, "there is no room")
    #expect(full["longspan_storage_bytes"] <= 1_048_576)
    let sink = try Sink(port: port)
    try load.stop()
    let report = try await load.report()
    #expect(!report.acknowledged.isEmpty)
    try await sink.expect(report.acknowledged)
    (try await relay.scrapeAtRest()).expectBalanced()
  }

  @Test(arguments: ["garbage", "truncated"]) func aDamagedFileIsSetAside(_ damage: String) async throws {
    let port = try FreePort.pick()
    let first = try await relay(port)
    try await send(try Traces.good(50), to: first)
    #expect(await first.end(SIGKILL) != 0)
    let file = folder.appending(path: "storage/queue.sqlite")
    let whole = try Data(contentsOf: file)
    try (damage == "garbage" ? Traces.random(5000) : whole.prefix(1000)).write(to: file)

    let second = try await relay(port)
    let scrape = try await second.scrape()
    #expect(scrape["longspan_storage_damaged_files_total"] == 1)
    scrape.expectBalanced()
    #expect(second.logText.contains("set aside"), "\(second.logText)")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: path).contains { $0.hasPrefix("queue.sqlite.damaged") })
    let sink = try Sink(port: port)
    try await send(try Traces.good(3), to: second)
    _ = try await sink.spans(atLeast: 3)
  }

  @Test func twoRelaysDoNotShareAQueue() async throws {
    let port = try FreePort.pick()
    let first = try await relay(port)
    let second = try LongspanProcess(
      "relay",
      Deployment.relayText("us-east-1", to: "127.0.0.1:\(port)", exporter: "sending_queue: {storage: \"\(path)\"}"))
    #expect(await second.exitStatus() == 69)
    #expect(second.logText.contains("cannot open the sending queue"), "\(second.logText)")
    try await send(try Traces.good(1), to: first)
  }

  // MARK: Exactly once

  @Test(arguments: [true, false]) func aBatchThatComesAgainIsNotCounted(_ isStored: Bool) async throws {
    let sink = try Sink()
    let process =
      isStored
      ? try await aggregator([("a", sink.port)]) : try await Deployment.aggregator([sink])
    let data = try Traces.good(3)
    let name = "01234567-89ab-cdef-0123-456789abcdef/0/17"
    let address = try await process.address("otlp_grpc")
    for _ in 0..<3 {
      #expect(try await Call.export(address, data, "--metadata", "longspan-batch=\(name)").code == "OK")
    }
    // Not a name: a batch like any other, whose spans are duplicates.
    #expect(try await Call.export(address, data, "--metadata", "longspan-batch=no name").code == "OK")
    let scrape = try await process.scrape(until: { $0.outcome("forwarded") == 3 }, "the traces have closed")
    #expect(scrape.received == 6)
    #expect(scrape.outcome("duplicate") == 3)
    #expect(scrape["longspan_repeated_batches_total"] == 2)
    scrape.expectBalanced()
    guard isStored else { return }
    #expect(await process.end(SIGKILL) != 0)
    let next = try await aggregator([("a", sink.port)])
    let again = try await next.address("otlp_grpc")
    #expect(try await Call.export(again, data, "--metadata", "longspan-batch=\(name)").code == "OK")
    #expect(try await next.scrape()["longspan_repeated_batches_total"] == 1)
  }

  // MARK: The journal

  /// A call from one region to another, in two halves.
  private func halves() -> (client: Data, server: Data) {
    var (client, server) = (Traces.span("call"), Traces.span("serve"))
    client.kind = .client
    server.traceID = client.traceID
    server.parentSpanID = client.spanID
    func data(_ span: Traces.Span, _ region: String) -> Data {
      (try? Traces.request([span], region: region).serializedBytes() as Data) ?? Data()
    }
    return (data(client, "us-east-1"), data(server, "eu-west-1"))
  }

  private let crossing = "{source_region=\"us-east-1\",target_region=\"eu-west-1\"}"

  @Test func aKilledAggregatorResumesOpenTraces() async throws {
    let sink = try Sink()
    let first = try await aggregator([("a", sink.port)], idle: "60s")
    let (client, server) = halves()
    try await send(client, to: first)
    #expect(await first.end(SIGKILL) != 0)

    let second = try await aggregator([("a", sink.port)], idle: "60s")
    let resumed = try await second.scrape()
    #expect(resumed.received == 1 && resumed.sum("longspan_held_spans", "stitching") == 1, "\(second.logText)")
    #expect(resumed["region_flow_requests_total\(crossing)"] == 0)
    try await send(server, to: second)
    let counted = try await second.scrape(until: { $0["trace_count\(crossing)"] == 1 }, "both ends are known")
    counted.expectBalanced()
    #expect(await second.end(SIGKILL) != 0)

    let third = try await aggregator([("a", sink.port)], idle: "1s")
    let scrape = try await third.scrape(until: { $0.outcome("forwarded") == 2 }, "the trace is exported")
    for name in ["trace_count", "region_flow_requests_total", "region_flow_client_seconds_count"] {
      #expect(scrape[name + crossing] == 1, "\(name)")
    }
    #expect(scrape.sum("trace_duration_seconds_count") == 1)
    #expect(scrape.sum("stitching_traces_total") == 1)
    scrape.expectBalanced()
    let exports = try sink.exports()
    #expect(exports.count == 1, "in one piece")
    #expect(try sink.spans().count == 2)
  }

  @Test func whatWasExportedIsNotExportedOrCountedAgain() async throws {
    let (alive, port) = (try Sink(), try FreePort.pick())
    let exporters = [("alive", alive.port), ("dead", port)]
    let first = try await aggregator(exporters)
    let (client, server) = halves()
    try await send(client, to: first)
    try await send(server, to: first)
    #expect(try await alive.spans(atLeast: 2).count == 2)
    // The one that took it is noted; the other still waits.
    _ = try await first.scrape(until: { $0["longspan_storage_appended_records_total"] >= 4 }, "it is written down")
    #expect(await first.end(SIGKILL) != 0)

    let second = try await aggregator(exporters)
    let held = try await second.scrape()
    #expect(held.held == 2, "for the one that is dead")
    #expect(held["trace_count\(crossing)"] == 1)
    held.expectBalanced()
    let dead = try Sink(port: port)
    #expect(try await dead.spans(atLeast: 2).count == 2)
    let scrape = try await second.scrapeAtRest()
    #expect(scrape["trace_count\(crossing)"] == 1)
    #expect(scrape.sum("stitching_traces_total") == 1)
    #expect(try alive.spans().count == 2)
    // The counts stay when everything has gone, and over an orderly end.
    #expect(await second.end() == 0)
    let third = try await aggregator(exporters)
    #expect(try await third.scrape()["trace_count\(crossing)"] == 1)
    #expect(try alive.spans().count == 2 && dead.spans().count == 2)
  }

  @Test func whatNobodyNeedsLeavesTheJournal() async throws {
    let sink = try Sink()
    let process = try await aggregator([("a", sink.port)], more: "flow: {link_ttl: 1s}")
    for _ in 0..<3 { try await send(try Traces.good(100), to: process) }
    _ = try await sink.spans(atLeast: 300)
    let scrape = try await process.scrape(until: { $0["longspan_storage_bytes"] == 0 }, "the journal is empty")
    #expect(scrape["longspan_storage_removed_records_total"] == scrape["longspan_storage_appended_records_total"])
    #expect(await process.end(SIGKILL) != 0)
    let next = try await aggregator([("a", sink.port)])
    let after = try await next.scrape()
    #expect(after.received == 0)
    #expect(after.sum("stitching_traces_total") == 300)
  }

  @Test func anOrderlyEndLeavesOpenTracesOpen() async throws {
    let sink = try Sink()
    let (client, server) = halves()
    let first = try await aggregator([("a", sink.port)], idle: "60s")
    try await send(client, to: first)
    #expect(await first.end() == 0)
    #expect(first.logText.contains("stay in the journal"), "\(first.logText)")
    #expect(try sink.spans().isEmpty)
    let second = try await aggregator([("a", sink.port)], idle: "1s")
    try await send(server, to: second)
    _ = try await sink.spans(atLeast: 2)
    #expect(try sink.exports().count == 1)
  }
}
