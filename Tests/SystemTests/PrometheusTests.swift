import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// What Prometheus' own programs make of the metrics (Debian package prometheus).
@Suite(.fewAtOnce) struct PrometheusTests {
  /// A checkout in us-east-1 that calls a product service in us-west-2.
  private static func trace(_ number: UInt64, state: String = "") -> [Emission] {
    let id = OTLPSpan.traceID(0x9406, ~number)
    let calls = [
      OTLPSpan(id, 1, .server, to: 300, state: state),
      OTLPSpan(id, 2, in: 1, .client, to: 100, state: state, [.text("peer.region", "us-west-2")]),
    ]
    let served = OTLPSpan(id, 3, in: 2, .server, to: 40, state: state, [.text("client.region", "us-east-1")])
    return [Emission("checkout \"1\"\\\n", "us-east-1", calls), Emission("product", "us-west-2", [served.failing()])]
  }

  @Test func promtoolIsContentWithBothRoles() async throws {
    let aggregator = try await Deployment.aggregator(idle: "200ms")
    let relay = try await Deployment.relay(
      "us-east-1", to: try await aggregator.address("otlp_grpc"),
      more: """
        routes: [{from: us-east-1, to: us-west-2, sampling: 0.3}]
        context: {baggage: {enabled: true}}
        """)
    for process in [relay, aggregator] { try await expectClean(process) }
    try await relay.post((1...20).map { OTLPRequest(Self.trace($0)) })
    _ = try await relay.answers(to: [Data([0xff])])
    _ = try await aggregator.scrape(until: { $0.sum("stitching_traces_total") == 20 }, "all traces are closed")
    for process in [relay, aggregator] { try await expectClean(process) }
  }

  private func expectClean(_ process: LongspanProcess) async throws {
    let url = "http://\(try await process.address("admin"))/metrics"
    let text = try await Command.run("curl", ["-sS", "--fail", url])
    let check = try await Command.run("promtool", ["check", "metrics"], input: text.output)
    #expect(check.status == 0, "\(check.errors)")
    #expect(check.text + check.errors == "")
  }

  @Test func prometheusAnswersTheQuestionsOfTheDashboards() async throws {
    let aggregator = try await Deployment.aggregator(idle: "200ms")
    let prometheus = try await Prometheus.start(scraping: try await aggregator.address("admin"))
    let count = "sum(trace_count) by (source_region, target_region)"
    let quantile = "histogram_quantile(0.95, sum(rate(trace_duration_seconds_bucket[5m])) by (le, service))"
    // A rate takes two scrapes between which something happened: traffic goes on until there is an answer.
    // Kept at 0.3: each stands for three and a bit.
    let weight = Double(UInt64(1) << 56) / Double(UInt64(1) << 56 - 0xb3_3300_0000_0000)
    var sent: UInt64 = 0
    var durations: [[String: String]: Double] = [:]
    while durations.isEmpty, sent < 500 {
      sent += 1
      try await aggregator.post([OTLPRequest(Self.trace(sent, state: "ot=th:b333"))])
      durations = try await prometheus.query(quantile).filter { !$0.value.isNaN }
    }
    // All traces take 300 ms, which is in the bucket from 0.25 to 0.5.
    #expect(durations.count == 1)
    let duration = try #require(durations[["service": "checkout \"1\"\\\n"]])
    #expect((0.25...0.5).contains(duration))

    let pair = ["source_region": "us-east-1", "target_region": "us-west-2"]
    let isAll = { (value: Double?) in abs((value ?? 0) - Double(sent) * weight) < 1e-6 }
    let counts = try await prometheus.query(count) { isAll($0[pair]) }
    #expect(counts.count == 1 && isAll(counts[pair]), "\(counts)")
    let errors = try await prometheus.query("sum(region_flow_errors_total)")
    #expect(errors.count == 1 && isAll(errors[[:]]), "\(errors)")
    let network = try await prometheus.query(
      "histogram_quantile(0.5, sum(rate(region_flow_network_seconds_bucket[5m])) by (le, source_region, target_region))"
    )
    #expect((0.05...0.1).contains(try #require(network[pair])))
    let graph = try await prometheus.query("sum(rate(traces_service_graph_request_total[5m])) by (client, server)")
    #expect(graph.keys.map { $0["server"] } == ["product"])
    #expect(await prometheus.stop() == 0)
  }
}
