import Foundation
import TestKit
import Testing

/// Peers that make up names without end (`loadtest/cardinality.py`, which also does it by the million) leave as many
/// series as are configured, and one of `__overflow__`; traces without end leave counted reasons.
@Suite(.fewAtOnce) struct CardinalityTests {
  private static func send(_ kind: String, _ count: Int, to process: LongspanProcess) async throws -> [String: Int] {
    let run = try await Command.run(
      Root.python,
      [
        Root.url.appending(path: "loadtest/cardinality.py").path, kind, "--grpc",
        try await process.address("otlp_grpc"), "--count", "\(count)",
      ])
    try #require(run.status == 0, "\(run.errors)\n\(process.logText)")
    return try JSONDecoder().decode([String: Int].self, from: run.output)
  }

  /// For every metric: the values that each label has.
  private static func values(_ scrape: Scrape) -> [String: [String: Set<String>]] {
    var found: [String: [String: Set<String>]] = [:]
    for line in scrape.text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let brace = line.firstIndex(of: "{"), let end = line.lastIndex(of: "}") else { continue }
      for label in line[line.index(after: brace)..<end].split(separator: ",") {
        let parts = label.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, parts[0] != "le" else { continue }
        found[String(line[..<brace]), default: [:]][String(parts[0]), default: []].insert(String(parts[1]))
      }
    }
    return found
  }

  @Test(arguments: ["names", "mixed"]) func anAggregatorKeepsToItsCaps(_ kind: String) async throws {
    let process = try await Deployment.aggregator(
      idle: "100ms", more: "flow: {max_services: 40, max_regions: 12, link_ttl: 1s}")
    let count = 10_000
    #expect(try await Self.send(kind, count, to: process).keys.sorted() == ["OK"])
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == Double(2 * count))
    let values = Self.values(scrape)
    #expect(values["region_flow_requests_total"] != nil && values["trace_duration_seconds_count"] != nil)
    #expect(values["traces_service_graph_request_total"] != nil)
    for (metric, labels) in values {
      for (label, names) in labels {
        let cap = ["service", "client", "server"].contains(label) ? 40 : label.hasSuffix("region") ? 12 : 20
        #expect(names.count <= cap + 1, "\(metric) has \(names.count) of \(label)")
        if names.count > cap { #expect(names.contains("\"__overflow__\""), "\(metric) \(label)") }
      }
    }
    // What is past the caps is counted all the same.
    #expect(scrape.sum("region_flow_requests_total") == Double(count))
    #expect(scrape.sum("traces_service_graph_request_total") == Double(count))
    #expect(scrape.sum("trace_duration_seconds_count") == Double(count))
    #expect(scrape.sum("traces_service_graph_request_total", "__overflow__") > 0)
    #expect(scrape.sum("stitching_label_overflow_total") > 0 || kind == "mixed")
    #expect(try process.peakMemory() < 200 << 20)
  }

  @Test func anAggregatorHasDefaults() async throws {
    let process = try await Deployment.aggregator(idle: "100ms")
    let count = 5000
    _ = try await Self.send("names", count, to: process)
    let values = Self.values(try await process.scrapeAtRest())
    for (label, names) in values.values.flatMap(\.self) {
      let isService = ["service", "client", "server"].contains(label)
      #expect(names.count <= (isService ? 1001 : 101), "\(names.count) of \(label)")
    }
    #expect(values["trace_duration_seconds_count"]?["service"]?.contains("\"__overflow__\"") == true)
    #expect(values["trace_count"]?["source_region"]?.contains("\"__overflow__\"") == true)
  }

  @Test func aRelayKeepsToItsCaps() async throws {
    let process = try await TestedRole.relay.start("sampling: {type: probabilistic, param: 0.01}")
    let count = 10_000
    _ = try await Self.send("names", count, to: process)
    let scrape = try await process.scrape(until: { $0.received == $0.outcomes + $0.held }, "the account is whole")
    let pairs = scrape.samples("longspan_sampling_spans_total")
    #expect(pairs.values.reduce(0, +) == Double(2 * count))
    // 1024 regions of peers, and with the relay's own and those past the cap at most 4096 pairs of them.
    #expect(pairs.count <= 2 * 4097, "\(pairs.count)")
    #expect(pairs.keys.contains { $0.contains("__overflow__") })
    for (label, names) in Self.values(scrape).values.flatMap(\.self) {
      #expect(names.count <= 1026, "\(names.count) of \(label)")
    }
    #expect(scrape.sum("longspan_policy_table_full_total", "regions") > 0)
  }

  /// One trace has no end: what is past the cap leaves as over budget, and nothing else does.
  @Test func aTraceWithoutEnd() async throws {
    let process = try await Deployment.aggregator(idle: "300s", stitching: "max_spans_per_trace: 1000")
    _ = try await Self.send("wide", 20_000, to: process)
    let scrape = try await process.scrape(until: { $0.received == $0.outcomes + $0.held }, "the account is whole")
    #expect(scrape.received == 20_000)
    #expect(scrape.outcome("over_budget") == 19_000)
    #expect(scrape["longspan_held_spans{stage=\"stitching\"}"] == 1000)
  }

  /// Traces have no end: where there is no room the idlest close before their time, and none is lost.
  @Test func tracesWithoutEnd() async throws {
    let process = try await Deployment.aggregator(
      idle: "300s", stitching: "max_live_traces: 1000, memory_limit_mib: 16")
    let count = 30_000
    _ = try await Self.send("traces", count, to: process)
    // What was answered may still be on its way to its shard.
    let scrape = try await process.scrape(
      until: { $0.held <= 1000 && $0.received == $0.outcomes + $0.held }, "the account is whole")
    #expect(scrape.received == Double(count))
    #expect(scrape.outcome("forwarded") == Double(count) - scrape.held)
    #expect(scrape.sum("stitching_early_closed_traces_total", "max_live_traces") > 0)
    #expect(try process.peakMemory() < 160 << 20)
  }
}
