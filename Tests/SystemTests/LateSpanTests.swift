import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Spans that come after their trace was closed, twice, or too many.
@Suite(.fewAtOnce) struct LateSpanTests {
  private static let pair = "{source_region=\"us-east-1\",target_region=\"us-west-2\"}"
  private static func id(_ number: UInt64) -> Data { OTLPSpan.traceID(0x1a7e, number) }

  private static func call(_ trace: UInt64) -> Emission {
    let calls = [
      OTLPSpan(id(trace), 1, .server, to: 90, state: "ot=th:8"),
      OTLPSpan(id(trace), 2, in: 1, .client, to: 80, state: "ot=th:8"),
    ]
    return Emission("frontend", "us-east-1", calls)
  }

  private static func served(_ trace: UInt64, _ span: UInt64 = 3) -> Emission {
    Emission("product", "us-west-2", [OTLPSpan(id(trace), span, in: 2, .server, to: 30, state: "ot=th:8")])
  }

  private func closed(_ count: Double, in aggregator: LongspanProcess) async throws -> Scrape {
    try await aggregator.scrape(until: { $0.sum("stitching_traces_total") == count }, "\(count) traces are closed")
  }

  /// Either end may come late. The link is counted once, and the late span goes on by itself.
  @Test func aLinkIsMatchedAfterItsTraceWasClosed() async throws {
    let sink = try Sink()
    let aggregator = try await Deployment.aggregator([sink], idle: "200ms")
    try await aggregator.post(Self.call(1))
    try await aggregator.post(Self.served(2))
    var scrape = try await closed(2, in: aggregator)
    #expect(scrape.sum("trace_count") == 0)
    #expect(scrape.sum("stitching_unmatched_entries_total", "us-west-2") == 1)
    #expect(scrape["stitching_traces_total{scope=\"local\",complete=\"true\"}"] == 1)
    #expect(scrape["stitching_traces_total{scope=\"local\",complete=\"false\"}"] == 1)

    try await aggregator.post(Self.served(1))
    try await aggregator.post(Self.call(2))
    // A second answer to the same call crosses the pair again, in a trace that has been counted.
    try await aggregator.post(Self.served(1, 4))
    // What came already, before and after the closing, is a duplicate.
    try await aggregator.post(Self.served(1), Self.call(1))
    scrape = try await aggregator.scrape(until: { $0.outcomes == 10 }, "all spans have left")
    #expect(scrape["trace_count\(Self.pair)"] == 4)
    #expect(scrape["region_flow_requests_total\(Self.pair)"] == 6)
    #expect(scrape["region_flow_network_seconds_count\(Self.pair)"] == 6)
    #expect(abs(scrape["region_flow_network_seconds_sum\(Self.pair)"] - 0.3) < 1e-9)
    #expect(scrape.sum("traces_service_graph_request_total") == 6)
    #expect(scrape["stitching_late_spans_total{region=\"us-west-2\"}"] == 2)
    #expect(scrape["stitching_late_spans_total{region=\"us-east-1\"}"] == 2)
    #expect(scrape.sum("stitching_traces_total") == 2, "a late span does not open its trace again")
    #expect(scrape.sum("trace_duration_seconds_count") == 4)
    #expect(scrape.outcome("duplicate") == 3)
    #expect(scrape.outcome("forwarded") == 7)
    scrape.expectBalanced()
    let arrived = try await sink.spans(atLeast: 7)
    let sent =
      Self.call(1).spans + Self.call(2).spans + [Self.served(1), Self.served(2), Self.served(1, 4)].flatMap(\.spans)
    #expect(Set(arrived) == Set(sent))
    #expect(arrived.count == 7)
  }

  @Test func duplicatesOfALiveTraceAreDropped() async throws {
    let sink = try Sink()
    let aggregator = try await Deployment.aggregator([sink], idle: "1s")
    try await aggregator.post([
      OTLPRequest([Self.call(1), Self.served(1)]), OTLPRequest([Self.served(1), Self.call(1)]),
      OTLPRequest([Self.served(1), Self.served(1, 4), Self.served(1, 4)]),
    ])
    let scrape = try await closed(1, in: aggregator)
    #expect(scrape["trace_count\(Self.pair)"] == 2)
    #expect(scrape["region_flow_requests_total\(Self.pair)"] == 4)
    #expect(scrape.outcome("duplicate") == 5)
    #expect(try await sink.spans(atLeast: 4).count == 4)
    let end = try await aggregator.scrape(until: { $0.outcome("forwarded") == 4 }, "the trace is handed on")
    end.expectBalanced()
  }

  @Test func anEndIsNotRememberedPastItsTimeNorPastTheCap() async throws {
    let forgetful = try await Deployment.aggregator(idle: "200ms", more: "flow: {link_ttl: 0s}")
    try await forgetful.post(Self.call(1))
    _ = try await closed(1, in: forgetful)
    try await forgetful.post(Self.served(1))
    var scrape = try await forgetful.scrape(until: { $0.sum("stitching_late_spans_total") == 1 }, "a span is late")
    #expect(scrape.sum("region_flow_requests_total") == 0)
    scrape.expectBalanced()

    // With room for one end in each of the aggregator's shards, those of the traces that closed first are forgotten.
    let small = try await Deployment.aggregator(idle: "200ms", more: "flow: {max_half_links: 1}")
    try await small.post((1...40).map { OTLPRequest([Self.call($0)]) })
    scrape = try await closed(40, in: small)
    #expect(scrape["stitching_half_links"] < 40)
    #expect(scrape["stitching_forgotten_total{memory=\"half_links\"}"] == 40 - scrape["stitching_half_links"])
  }

  @Test func aTraceTakesNoMoreThanItsShareOfSpans() async throws {
    let aggregator = try await Deployment.aggregator(idle: "200ms", stitching: "max_spans_per_trace: 3")
    try await aggregator.post(Self.call(1), Self.served(1), Self.served(1, 4))
    let scrape = try await closed(1, in: aggregator)
    #expect(scrape.outcome("over_budget") == 1)
    #expect(scrape.outcome("forwarded") == 3)
    #expect(scrape["region_flow_requests_total\(Self.pair)"] == 2)
    scrape.expectBalanced()
  }

  /// A trace that never falls silent closes at its age.
  @Test func aTraceClosesAtItsAge() async throws {
    let aggregator = try await Deployment.aggregator(idle: "2s", stitching: "max_trace_age: 2s")
    var scrape = try await aggregator.scrape()
    var sent: UInt64 = 0
    while sent < 1000, scrape.sum("stitching_late_spans_total") == 0 {
      sent += 1
      try await aggregator.post(Self.served(1, 100 + sent))
      scrape = try await aggregator.scrape()
    }
    #expect(scrape.sum("stitching_late_spans_total") == 1)
    #expect(scrape.sum("stitching_traces_total") == 1)
    #expect(sent > 1)
    scrape.expectBalanced()
  }
}
