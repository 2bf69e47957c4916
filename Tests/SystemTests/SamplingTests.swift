import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Sampling by route, agreed upon by relays that never speak with each other.
@Suite(.fewAtOnce) struct SamplingTests {
  @Test func bothEndsOfEveryRouteKeepTheSameTraces() async throws {
    let seed: UInt64 = 0x5eed_0001
    var traffic = RingTraffic(seed: seed, traces: 420)
    let kept = traffic.keptIDs
    let keptSpans = traffic.traces.filter(\.isKept).reduce(0) { $0 + $1.spans.count }
    let sentSpans = traffic.traces.reduce(0) { $0 + $1.spans.count }
    #expect((150...270).contains(kept.count), "the seed makes a usual set")

    let back = try Sink()
    // Traces close when the aggregator drains: no fragment can be late, however slow this machine is.
    let aggregator = try await Deployment.aggregator([back], idle: "5m")
    let address = try await aggregator.address("otlp_grpc")
    var relays: [LongspanProcess] = []
    for region in RingTraffic.regions {
      relays.append(try await Deployment.relay(region, to: address, more: RingTraffic.routes))
    }
    for (region, relay) in relays.enumerated() {
      let requests = traffic.requests(of: region, spansEach: 57)
      try await relay.post(requests.first)
      // Over another connection: what the relay remembers of a trace belongs to all of them.
      try await relay.post(requests.then)
    }

    let settled = { (scrape: Scrape) in scrape.received == Double(keptSpans) }
    let scrape = try await aggregator.scrape(until: settled, "all kept spans are in")
    #expect(scrape["longspan_held_spans{stage=\"stitching\"}"] == Double(keptSpans))
    scrape.expectBalanced()
    for (region, relay) in relays.enumerated() {
      let own = traffic.traces.reduce((sent: 0, kept: 0)) { sum, trace in
        let count = trace.spans.filter { $0.region == region }.count
        return (sum.sent + count, sum.kept + (trace.isKept ? count : 0))
      }
      let done = { (scrape: Scrape) in scrape.outcome("forwarded") == Double(own.kept) }
      let scrape = try await relay.scrape(until: done, "the relay forwarded what is kept")
      #expect(scrape.received == Double(own.sent))
      #expect(scrape.outcome("sampled_out") == Double(own.sent - own.kept))
      #expect(scrape.sum("longspan_sampling_spans_total", "decision=\"kept\"") == Double(own.kept))
      #expect(scrape.sum("longspan_sampling_spans_total", "decision=\"dropped\"") == Double(own.sent - own.kept))
      scrape.expectBalanced()
    }
    expectFlows(in: scrape, of: traffic)

    for relay in relays { #expect(await relay.end() == 0) }
    #expect(await aggregator.end() == 0)
    let arrived = try back.spans()
    #expect(Set(arrived.map(\.traceID)) == kept, "seed \(seed)")
    #expect(sentSpans > arrived.count)
    try expectWholeTraces(in: back, of: traffic)
  }

  /// The traffic metrics against what the kept traces come to, each standing for two.
  private func expectFlows(in scrape: Scrape, of traffic: RingTraffic) {
    for source in 0..<3 {
      let target = (source + 1) % 3
      let traces = traffic.traces.filter { trace in trace.isKept && trace.calls.contains { $0.source == source } }
      let calls = traces.flatMap { $0.calls.filter { $0.source == source } }
      let labels = "source_region=\(RingTraffic.regions[source]),target_region=\(RingTraffic.regions[target])"
      func value(_ metric: String) -> Double { scrape.samples(metric)[labels] ?? 0 }
      #expect(value("trace_count") == Double(2 * traces.count))
      #expect(value("region_flow_requests_total") == Double(2 * calls.count))
      #expect(value("region_flow_errors_total") == Double(2 * calls.filter(\.isError).count))
      for metric in ["client", "server", "network"] {
        #expect(value("region_flow_\(metric)_seconds_count") == Double(2 * calls.count))
      }
      let network = calls.reduce(0) { $0 + 2 * ($1.client.seconds - $1.server.seconds) }
      #expect(abs(value("region_flow_network_seconds_sum") - network) < 1e-6)
    }
    #expect(scrape.samples("trace_count").count == 3)
    #expect(scrape.samples("region_flow_requests_total").count == 3)
  }

  /// Each kept trace comes in one request, with all its spans, which differ from what was sent in `th` alone.
  private func expectWholeTraces(in sink: Sink, of traffic: RingTraffic) throws {
    var found: [Data: [OTLPSpan]] = [:]
    for export in try sink.exports() {
      let traces = Dictionary(grouping: export.spans, by: \.traceID)
      for (id, spans) in traces {
        #expect(found[id] == nil, "a trace came in two pieces")
        found[id] = spans
      }
      for resource in export.resourceSpans {
        #expect(resource.resource.attributes.contains { $0.key == "cloud.region" })
      }
    }
    for trace in traffic.traces where trace.isKept {
      let expected = trace.spans.map { emitted in
        var span = emitted.span
        span.traceState = Self.withHalf(span.traceState)
        return span
      }
      let arrived = found[trace.id] ?? []
      #expect(arrived.sorted { $0.id < $1.id } == expected.sorted { $0.id < $1.id })
    }
  }

  /// A tracestate of the ring's with `th:8` in it; other members and keys stay, the changed member comes first.
  private static func withHalf(_ state: String) -> String {
    switch state {
    case "": "ot=th:8"
    case "vendor=x:y,congo=t61rcWkgMzE": "ot=th:8,vendor=x:y,congo=t61rcWkgMzE"
    case "vendor=x,ot=k:v;zz:1": "ot=th:8;k:v;zz:1,vendor=x"
    case "ot=th:4;k:v,vendor=x": "ot=th:8;k:v,vendor=x"
    default: state.replacing("ot=rv", with: "ot=th:8;rv")
    }
  }
}
