import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// What the aggregator publishes about traffic, against figures worked out by hand.
@Suite(.fewAtOnce) struct FlowTests {
  private static let (east, west, europe) = ("us-east-1", "us-west-2", "eu-west-1")
  private static let eastWest = "source_region=us-east-1,target_region=us-west-2"
  private static let westEast = "source_region=us-west-2,target_region=us-east-1"
  private static let westEurope = "source_region=us-west-2,target_region=eu-west-1"

  private static func id(_ number: UInt64) -> Data { OTLPSpan.traceID(0xf10e, number) }

  private static func edge(_ client: String, _ server: String, _ from: String, _ to: String) -> String {
    "client=\(client),client_region=\(from),server=\(server),server_region=\(to)"
  }

  @Test func aFewTracesComeToTheFiguresWorkedOutByHand() async throws {
    let aggregator = try await Deployment.aggregator(
      idle: "300ms", more: "flow: {duration_buckets: [0.01, 0.05, 0.1, 1]}")
    let requests = [Self.one, Self.two, Self.three, Self.four, Self.five, Self.others].map { OTLPRequest($0) }
    try await aggregator.post(requests)
    let closed = { (scrape: Scrape) in scrape.sum("stitching_traces_total") == 8 }
    let scrape = try await aggregator.scrape(until: closed, "all traces are closed")
    expectCrossings(scrape)
    try expectBytes(scrape)
    expectClosings(scrape)
    expectServiceGraph(scrape)
    #expect(scrape.outcome("forwarded") == scrape.received)
    scrape.expectBalanced()
  }

  // MARK: The traces

  /// Counts once: a root, its call and the server in another region, 300, 100 and 40 ms long.
  private static let one = plain(1)

  private static func plain(_ number: UInt64, state: String = "", _ server: [OTLPAttribute] = []) -> [Emission] {
    let calls = [
      OTLPSpan(id(number), 1, .server, from: 0, to: 300, state: state),
      OTLPSpan(id(number), 2, in: 1, .client, from: 10, to: 110, state: state),
    ]
    let served = OTLPSpan(id(number), 3, in: 2, .server, from: 50, to: 90, state: state, server)
    return [Emission("frontend", east, calls), Emission("product", west, [served])]
  }

  /// Counts twice, kept at 0.5. Its server span fails by its HTTP status.
  private static let two = plain(2, state: "ot=th:8", [.number("http.response.status_code", 503)])

  /// Counts four times: a message from a producer to a consumer, whose producer span fails by its attribute. The
  /// spans of the other region come first.
  private static let three = [
    Emission("mailer", europe, [OTLPSpan(id(3), 3, in: 2, .consumer, to: 20, state: "ot=th:c")]),
    Emission(
      "order", west,
      [
        OTLPSpan(id(3), 1, .server, to: 8, state: "ot=th:c"),
        OTLPSpan(id(3), 2, in: 1, .producer, to: 5, state: "ot=th:c", [.text("error", "true")]),
      ]),
  ]

  /// Stays in one region. Its client span fails; a server's 499 and an internal span's 500 are no failures.
  private static let four = [
    Emission(
      "frontend", east,
      [
        OTLPSpan(id(4), 1, .server, to: 60, [.number("http.status_code", 499)]),
        OTLPSpan(id(4), 2, in: 1, .client, to: 50, [.number("http.status_code", 500)]),
      ]),
    Emission(
      "cart", east,
      [
        OTLPSpan(id(4), 3, in: 2, .server, to: 30),
        OTLPSpan(id(4), 4, in: 3, to: 9, [.number("http.status_code", 500)]),
      ]),
  ]

  /// Crosses the same pair twice and comes back. A server span that is longer than its client span has a network time
  /// of 0; two failures of one service in one trace count once.
  private static let five = [
    Emission(
      "frontend", east,
      [
        OTLPSpan(id(5), 1, .server, to: 500).failing(), OTLPSpan(id(5), 2, in: 1, .client, to: 20),
        OTLPSpan(id(5), 3, in: 1, .client, to: 30, [.flag("error", true)]),
      ]),
    Emission(
      "product", west,
      [
        OTLPSpan(id(5), 4, in: 2, .server, to: 25), OTLPSpan(id(5), 5, in: 3, .server, to: 10),
        OTLPSpan(id(5), 6, in: 5, .client, to: 8),
      ]),
    Emission("frontend", east, [OTLPSpan(id(5), 7, in: 6, .server, to: 4)]),
  ]

  /// An entry whose parent never comes, a trace with two roots, and one that is whole and in one region.
  private static let others = [
    Emission("order", europe, [OTLPSpan(id(6), 3, in: 99, .server, to: 70)]),
    Emission("cron", europe, [OTLPSpan(id(7), 1, to: 2), OTLPSpan(id(7), 2, from: 3, to: 4)]),
    Emission("cron", europe, [OTLPSpan(id(8), 1, to: 2, state: "vendor=1,ot=rv:ffffffffffffff;th:8")]),
  ]

  // MARK: What they come to

  /// All series of a metric must be as expected; series of 0 may be left out.
  private func expect(
    _ scrape: Scrape, _ metric: String, _ expected: [String: Double], location: SourceLocation = #_sourceLocation
  ) {
    let found = scrape.samples(metric).filter { $0.value != 0 }
    #expect(Set(found.keys) == Set(expected.keys), "\(metric)", sourceLocation: location)
    for (labels, value) in expected {
      let isNear = abs((found[labels] ?? 0) - value) < 1e-9
      #expect(isNear, "\(metric){\(labels)}: \(found[labels] ?? 0), not \(value)", sourceLocation: location)
    }
  }

  private func expectCrossings(_ scrape: Scrape) {
    let (eastWest, westEast, westEurope) = (Self.eastWest, Self.westEast, Self.westEurope)
    expect(scrape, "trace_count", [eastWest: 1 + 2 + 1, westEurope: 4, westEast: 1])
    expect(scrape, "region_flow_requests_total", [eastWest: 1 + 2 + 2, westEurope: 4, westEast: 1])
    // One crossing of the fifth trace fails, by its client span; the only one of the second and of the third.
    expect(scrape, "region_flow_errors_total", [eastWest: 2 + 1, westEurope: 4])
    expect(scrape, "region_flow_client_seconds_count", [eastWest: 1 + 2 + 2, westEast: 1])
    expect(scrape, "region_flow_client_seconds_sum", [eastWest: 0.1 + 0.2 + 0.02 + 0.03, westEast: 0.008])
    expect(scrape, "region_flow_server_seconds_count", [eastWest: 1 + 2 + 2, westEast: 1])
    expect(scrape, "region_flow_server_seconds_sum", [eastWest: 0.04 + 0.08 + 0.025 + 0.01, westEast: 0.004])
    expect(scrape, "region_flow_network_seconds_count", [eastWest: 1 + 2 + 2, westEast: 1])
    expect(scrape, "region_flow_network_seconds_sum", [eastWest: 0.06 + 0.12 + 0 + 0.02, westEast: 0.004])
    let bounds = ["0.01", "0.05", "0.1", "1", "+Inf"]
    let clients = zip(bounds, [0.0, 2, 5, 5, 5]).map { ("le=\($0)," + eastWest, $1) }
    let back = bounds.map { ("le=\($0)," + westEast, 1.0) }
    let found = Dictionary(uniqueKeysWithValues: (clients + back).filter { $0.1 > 0 })
    expect(scrape, "region_flow_client_seconds_bucket", found)
  }

  /// Bytes are not weighted.
  private func expectBytes(_ scrape: Scrape) throws {
    func bytes(_ spans: OTLPSpan...) throws -> Double {
      try spans.reduce(0) { $0 + Double((try $1.serializedBytes() as Data).count) }
    }
    let five = Self.five.map(\.spans)
    expect(
      scrape, "region_flow_bytes_total",
      [
        Self.eastWest: try bytes(Self.one[1].spans[0], Self.two[1].spans[0], five[1][0], five[1][1]),
        Self.westEurope: try bytes(Self.three[0].spans[0]), Self.westEast: try bytes(five[2][0]),
      ])
  }

  /// Weighted by the root; the sixth trace has none, so that its entry stands in.
  private func expectClosings(_ scrape: Scrape) {
    expect(
      scrape, "trace_duration_seconds_count",
      ["service=frontend": 1 + 2 + 1 + 1, "service=order": 4 + 1, "service=cron": 1 + 2])
    expect(
      scrape, "trace_duration_seconds_sum",
      ["service=frontend": 0.3 + 0.6 + 0.06 + 0.5, "service=order": 0.08 + 0.07, "service=cron": 0.004 + 0.004])
    expect(scrape, "trace_errors_total", ["service=product": 2, "service=order": 4, "service=frontend": 1 + 1])
    expect(
      scrape, "stitching_traces_total",
      ["complete=true,scope=cross_region": 4, "complete=true,scope=local": 2, "complete=false,scope=local": 2])
    expect(scrape, "stitching_unmatched_entries_total", ["region=eu-west-1": 1])
    expect(scrape, "stitching_late_spans_total", [:])
  }

  private func expectServiceGraph(_ scrape: Scrape) {
    let product = Self.edge("frontend", "product", Self.east, Self.west)
    let cart = Self.edge("frontend", "cart", Self.east, Self.east)
    let back = Self.edge("product", "frontend", Self.west, Self.east)
    expect(scrape, "traces_service_graph_request_total", [product: 5, cart: 1, back: 1])
    expect(scrape, "traces_service_graph_request_failed_total", [product: 3, cart: 1])
    expect(scrape, "traces_service_graph_request_client_seconds_count", [product: 5, cart: 1, back: 1])
    expect(scrape, "traces_service_graph_request_client_seconds_sum", [product: 0.35, cart: 0.05, back: 0.008])
    expect(scrape, "traces_service_graph_request_server_seconds_count", [product: 5, cart: 1, back: 1])
    expect(scrape, "traces_service_graph_request_server_seconds_sum", [product: 0.155, cart: 0.03, back: 0.004])
  }

  @Test func namesPastTheirCapAreOne() async throws {
    let aggregator = try await Deployment.aggregator(idle: "300ms", more: "flow: {max_regions: 2, max_services: 2}")
    // A and B are known when C and D come.
    let one = OTLPRequest([
      Emission("a", "A", [OTLPSpan(Self.id(1), 1, .client)]),
      Emission("b", "B", [OTLPSpan(Self.id(1), 2, in: 1, .server)]),
    ])
    let two = OTLPRequest([
      Emission("a", "A", [OTLPSpan(Self.id(2), 1, .client)]),
      Emission("c", "C", [OTLPSpan(Self.id(2), 2, in: 1, .server)]),
      Emission("d", "D", [OTLPSpan(Self.id(2), 3, in: 1, .server).failing()]),
    ])
    // The shards share the names: each trace is counted before the next one comes.
    try await aggregator.post([one])
    _ = try await aggregator.scrape(until: { $0.sum("trace_count") == 1 }, "the first trace is counted")
    try await aggregator.post([two])
    _ = try await aggregator.scrape(until: { $0.sum("trace_count") == 2 }, "the second trace is counted")
    try await aggregator.post(Emission("d", "D", [OTLPSpan(Self.id(3), 1, to: 7)]))
    let closed = { (scrape: Scrape) in scrape.sum("stitching_traces_total") == 3 }
    let scrape = try await aggregator.scrape(until: closed, "all traces are closed")
    let other = "__overflow__"
    let pairs = ["source_region=A,target_region=B": 1.0, "source_region=A,target_region=\(other)": 2]
    expect(scrape, "region_flow_requests_total", pairs)
    expect(
      scrape, "trace_count", ["source_region=A,target_region=B": 1, "source_region=A,target_region=\(other)": 1])
    expect(
      scrape, "traces_service_graph_request_total",
      [Self.edge("a", "b", "A", "B"): 1, Self.edge("a", other, "A", other): 2])
    expect(scrape, "trace_errors_total", ["service=\(other)": 1])
    expect(scrape, "trace_duration_seconds_count", ["service=a": 2, "service=\(other)": 1])
    expect(
      scrape, "stitching_traces_total", ["complete=true,scope=cross_region": 2, "complete=true,scope=local": 1])
  }
}
