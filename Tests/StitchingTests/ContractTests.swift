import Stitching
import Telemetry
import TestKit
import Testing
import TraceWire

/// The contract's rows one by one, and input that is odd on purpose.
@Suite struct ContractTests {
  @Test func everyFamilyIsThereFromTheStart() {
    let families = shard().snapshot().families()
    let kinds = Dictionary(uniqueKeysWithValues: families.map { ($0.name, $0.kind) })
    #expect(kinds["trace_count"] == .gauge)
    for name in [
      "trace_duration_seconds", "region_flow_client_seconds", "region_flow_server_seconds",
      "region_flow_network_seconds", "traces_service_graph_request_server_seconds",
      "traces_service_graph_request_client_seconds",
    ] { #expect(kinds[name] == .histogram, "\(name)") }
    for name in [
      "trace_errors_total", "region_flow_requests_total", "region_flow_errors_total", "region_flow_bytes_total",
      "traces_service_graph_request_total", "traces_service_graph_request_failed_total", "stitching_traces_total",
      "stitching_unmatched_entries_total", "stitching_late_spans_total",
    ] { #expect(kinds[name] == .counter, "\(name)") }
    let traces = families.first { $0.name == "stitching_traces_total" }
    #expect(traces?.samples.count == 4)
  }

  @Test func oneCallBetweenRegions() {
    let shard = shard()
    let half = Threshold(probability: 0.5)
    let server = TestSpan(
      id: 3, parent: 2, region: "eu", service: "b", kind: .server, isError: true, start: second * 3 / 2,
      end: 2 * second,
      threshold: half, size: 33)
    shard.ingest([
      TestSpan(id: 1, region: "us", service: "a", start: second, end: 4 * second, threshold: half),
      TestSpan(id: 2, parent: 1, region: "us", service: "a", kind: .client, start: second, end: 3 * second), server,
    ])
    let closed = shard.closeAll(now: 1).traces
    #expect(closed.map(\.isComplete) == [true] && closed.map(\.isCrossRegion) == [true])
    let all = series(shard.snapshot())
    let pair = "{source_region=us,target_region=eu}"
    let edge = "{client=a,server=b,client_region=us,server_region=eu}"
    let wanted: [String: Double] = [
      "trace_count\(pair)": 2, "region_flow_requests_total\(pair)": 2, "region_flow_errors_total\(pair)": 2,
      "region_flow_bytes_total\(pair)": Double(server.encoded.count), "region_flow_client_seconds_sum\(pair)": 4,
      "region_flow_server_seconds_sum\(pair)": 1, "region_flow_network_seconds_sum\(pair)": 3,
      "trace_duration_seconds_sum{service=a}": 6, "trace_errors_total{service=b}": 2,
      "traces_service_graph_request_total\(edge)": 2, "traces_service_graph_request_failed_total\(edge)": 2,
      "traces_service_graph_request_client_seconds_sum\(edge)": 4,
      "stitching_traces_total{scope=cross_region,complete=true}": 1,
      "stitching_traces_total{scope=local,complete=true}": 0,
    ]
    for (name, value) in wanted { #expect(all[name] == value, "\(name)") }
  }

  /// Some formats have spans that say nothing of time.
  @Test func aSpanWithoutTimesDoesNotMakeItsTraceLonger() {
    let shard = shard()
    shard.ingest([
      TestSpan(id: 1, service: "a", start: 5 * second, end: 7 * second),
      TestSpan(id: 2, parent: 1, service: "b", start: 0, end: 0),
    ])
    _ = shard.closeAll(now: 1)
    #expect(series(shard.snapshot())["trace_duration_seconds_sum{service=a}"] == 2)
  }

  @Test func aServerLongerThanItsClientNeedsNoNetwork() {
    let shard = shard()
    shard.ingest([
      TestSpan(id: 1, region: "us", kind: .client, start: 0, end: second),
      TestSpan(id: 2, parent: 1, region: "eu", kind: .server, start: 0, end: 2 * second),
    ])
    let all = series(shard.snapshot())
    #expect(all["region_flow_network_seconds_sum{source_region=us,target_region=eu}"] == 0)
    #expect(all["region_flow_network_seconds_0{source_region=us,target_region=eu}"] == 1)
  }

  @Test func aSpanWithoutRegionIsInItsPeers() {
    let shard = shard()
    let spans = [
      TestSpan(id: 1, region: nil, service: nil), TestSpan(id: 2, parent: 1, region: "eu"),
      TestSpan(trace: 2, id: 1, region: nil, service: nil), TestSpan(trace: 2, id: 2, parent: 1, region: "eu"),
    ]
    _ = shard.ingest(request(spans, peerRegion: "us"), spans: [0, 1], now: 0)
    _ = shard.ingest(request(spans), spans: [2, 3], now: 0)
    _ = shard.closeAll(now: 1)
    let all = series(shard.snapshot())
    #expect(all["region_flow_requests_total{source_region=us,target_region=eu}"] == 1)
    #expect(all["region_flow_requests_total{source_region=unknown,target_region=eu}"] == 1)
    #expect(all.keys.contains("trace_duration_seconds_sum{service=unknown_service}"))
  }

  @Test(
    arguments: [
      ([0], true, 0), ([0, 1], true, 0), ([7], false, 1), ([0, 0], false, 0), ([1], false, 0), ([2, 1], false, 0),
      ([0, 7, 8], false, 2),
    ] as [([UInt64], Bool, Double)])
  func whenATraceIsComplete(parents: [UInt64], isComplete: Bool, unmatched: Double) {
    let shard = shard()
    shard.ingest(parents.enumerated().map { TestSpan(id: UInt64($0.offset + 1), parent: $0.element) })
    #expect(shard.closeAll(now: 1).traces.map(\.isComplete) == [isComplete])
    #expect(series(shard.snapshot())["stitching_unmatched_entries_total{region=us}"] ?? 0 == unmatched)
  }

  @Test func oddTimesAndWeightsDoNotTrap() {
    let shard = shard()
    let odd: [UInt64] = [0, 1, second, .max - 1, .max]
    var id: UInt64 = 0
    for start in odd {
      for end in odd {
        id += 2
        let thinnest = Threshold(rawValue: Threshold.limit - 1)
        shard.ingest(
          [
            TestSpan(id: id, region: "us", kind: .client, start: start, end: end, threshold: thinnest),
            TestSpan(id: id + 1, parent: id, region: "eu", kind: .server, start: end, end: start),
          ], at: start)
      }
    }
    _ = shard.advance(to: .max)
    _ = shard.closeAll(now: 0)
    #expect(shard.liveTraces == 0)
    #expect(series(shard.snapshot()).values.allSatisfy { $0.isFinite })
  }

  @Test func aMillionNamesDoNotGrowTheTables() {
    let shard = shard()
    for round in 0..<20 as Range<UInt64> {
      let spans = (0..<400 as Range<UInt64>).map { number in
        let name = "\(round)-\(number)"
        return TestSpan(
          trace: round, id: number + 1, parent: number, region: name, service: name,
          kind: number % 2 == 0 ? .client : .server)
      }
      shard.ingest(spans)
      _ = shard.closeAll(now: round)
    }
    let all = series(shard.snapshot())
    let regions = Set(all.keys.filter { $0.hasPrefix("region_flow_requests_total") })
    #expect(regions.count <= 101 * 101)
    #expect(Set(all.keys.filter { $0.hasPrefix("trace_duration_seconds_sum") }).count <= 1001)
    #expect(all.keys.filter { $0.hasPrefix("traces_service_graph_request_total") }.count <= 10_001)
  }

  @Test func namesThatAreNotTextOrTooLong() {
    let shard = shard()
    var names: [[UInt8]] = [[0xff], [0xfe], [0xfd, 0xfc], Array("__overflow__".utf8), []]
    names.append([UInt8](repeating: 0x61, count: 257))
    names.append([UInt8](repeating: 0x61, count: 256))
    shard.ingest(
      names.enumerated().map { number, name in
        TestSpan(id: UInt64(number + 1), parent: UInt64(number), regionBytes: name)
      })
    let all = series(shard.snapshot())  // traps where a series comes up twice
    #expect(all.keys.contains { $0.contains("target_region=" + String(repeating: "a", count: 256)) })
    #expect(!all.keys.contains { $0.contains(String(repeating: "a", count: 257)) })
  }
}
