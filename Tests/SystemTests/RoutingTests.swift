import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Which route a span is on. Every span here has the largest randomness, so that all are kept and `th` tells the route.
@Suite(.fewAtOnce) struct RoutingTests {
  typealias Attributes = [OTLPAttribute]

  /// A relay in us-east-1 that exports straight to a sink.
  static func relay(to sink: Sink, _ more: String) async throws -> LongspanProcess {
    try await Deployment.relay("us-east-1", to: "127.0.0.1:\(sink.port)", exporter: "compression: none", more: more)
  }

  /// Posts each span as a trace of its own in one request, and expects the thresholds in what comes out.
  private func expect(
    _ cases: [(emission: Emission, th: String?)], by relay: LongspanProcess, at sink: Sink
  ) async throws {
    try await relay.post([OTLPRequest(cases.map(\.emission))])
    let arrived = Dictionary(grouping: try await sink.spans(atLeast: cases.count), by: \.id)
    for (emission, th) in cases {
      let span = try #require(emission.spans.first)
      #expect(arrived[span.id]?.map(\.traceState) == [th.map { "ot=th:\($0)" } ?? ""], "\(span)")
    }
  }

  private func span(_ id: UInt64, _ kind: OTLPSpan.SpanKind, _ attributes: Attributes) -> OTLPSpan {
    OTLPSpan(OTLPSpan.traceID(id, .max), id, kind, attributes)
  }

  @Test func peersAreRecognisedByAttributesHostsAndAddresses() async throws {
    let sink = try Sink()
    let relay = try await Self.relay(
      to: sink,
      """
      routes:
        - {from: us-east-1, to: us-west-2, sampling: 0.5}
        - {from: us-east-1, to: eu-west-1, sampling: 0.25}
        - {from: us-west-2, to: us-east-1, sampling: 0.125}
        - {from: eu-west-1, to: us-east-1, sampling: 0.0625}
      regions:
        - {name: us-west-2, hosts: ["*.us-west-2.example.com", product], cidrs: ["10.20.0.0/16", "2001:db8:2::/48"]}
        - {name: eu-west-1, hosts: ["*.eu-west-1.example.com"], cidrs: ["10.0.0.0/8"]}
      """)
    let client: [(Attributes, String?)] = [
      ([.text("peer.region", "us-west-2")], "8"),
      ([.text("server.region", "us-west-2")], "8"),
      ([.text("net.peer.region", "us-west-2")], "8"),
      ([.text("destination.region", "us-west-2")], "8"),
      // The rank of the attributes decides, not their order; attributes come before hosts.
      ([.text("destination.region", "us-west-2"), .text("net.peer.region", "eu-west-1")], "c"),
      ([.text("server.region", "us-west-2"), .text("peer.region", "eu-west-1")], "c"),
      ([.text("server.address", "a.us-west-2.example.com"), .text("destination.region", "eu-west-1")], "c"),
      // A region of the caller's says nothing about the callee.
      ([.text("client.region", "us-west-2")], nil),
      ([.text("server.address", "a.b.us-west-2.example.com")], "8"),
      ([.text("server.address", "A.EU-WEST-1.Example.COM")], "c"),
      ([.text("server.address", "us-west-2.example.com")], nil),
      ([.text("net.peer.name", "db.eu-west-1.example.com")], "c"),
      ([.text("peer.service", "product")], "8"),
      ([.text("url.full", "https://user@shop.us-west-2.example.com:8443/x?y=@z")], "8"),
      ([.text("url.full", "http://[2001:db8:2::7]:80/")], "8"),
      ([.text("network.peer.address", "10.20.255.1")], "8"),
      ([.text("network.peer.address", "10.21.0.1")], "c"),
      ([.text("network.peer.address", "2001:db8:2::1")], "8"),
      ([.text("network.peer.address", "11.0.0.1")], nil),
      ([.text("peer.region", "mars")], nil),
      ([], nil),
    ]
    let server: [(Attributes, String?)] = [
      ([.text("client.region", "us-west-2")], "e"),
      ([.text("source.region", "us-west-2")], "e"),
      ([.text("baggage.region", "us-west-2")], "e"),
      ([.text("baggage.region", "us-west-2"), .text("client.region", "eu-west-1")], "f"),
      ([.text("client.address", "x.us-west-2.example.com")], "e"),
      ([.text("client.address", "10.20.1.1")], "e"),
      ([.text("network.peer.address", "10.9.9.9")], "f"),
      ([.text("peer.region", "us-west-2")], nil),
    ]
    var cases: [(emission: Emission, th: String?)] = []
    func add(_ kind: OTLPSpan.SpanKind, _ attributes: Attributes, _ th: String?) {
      cases.append((Emission("shop", "us-east-1", [span(UInt64(cases.count + 1), kind, attributes)]), th))
    }
    for (attributes, th) in client {
      add(.client, attributes, th)
      add(.producer, attributes, th)
    }
    for (attributes, th) in server {
      add(.server, attributes, th)
      add(.consumer, attributes, th)
    }
    add(.internal, [.text("peer.region", "us-west-2")], nil)
    try await expect(cases, by: relay, at: sink)
  }

  @Test func exactRoutesComeBeforeWildcardsBeforeTheDefault() async throws {
    let sink = try Sink()
    let relay = try await Self.relay(
      to: sink,
      """
      sampling: {type: probabilistic, param: 0.0625}
      routes:
        - {from: "*", to: ap-south-1, sampling: 0.125}
        - {from: us-east-1, to: "*", sampling: 0.25}
        - {from: us-east-1, to: us-west-2, sampling: 0.5}
      """)
    func client(_ id: UInt64, _ peer: String) -> OTLPSpan { span(id, .client, [.text("peer.region", peer)]) }
    func server(_ id: UInt64, _ peer: String) -> OTLPSpan { span(id, .server, [.text("client.region", peer)]) }
    try await expect(
      [
        (Emission("shop", nil, [client(1, "us-west-2")]), "8"),
        (Emission("shop", nil, [client(2, "eu-west-1")]), "c"),
        // Both wildcards fit: the one that names the source holds.
        (Emission("shop", nil, [client(3, "ap-south-1")]), "c"),
        (Emission("shop", "ap-south-1", [server(4, "eu-west-1")]), "e"),
        (Emission("shop", "ap-south-1", [server(5, "us-east-1")]), "c"),
        (Emission("shop", "us-west-2", [server(6, "us-east-1")]), "8"),
        (Emission("shop", nil, [server(7, "eu-west-1")]), "f"),
        (Emission("shop", nil, [span(8, .internal, [])]), "f"),
      ], by: relay, at: sink)
  }

  @Test func theOtherSpansOfATraceFollowItsMostGenerousRoute() async throws {
    let sink = try Sink()
    let relay = try await Self.relay(
      to: sink,
      """
      sampling: {type: probabilistic, param: 0.0625, trace_memory: {ttl: 60s, max_traces: 2}}
      routes:
        - {from: us-east-1, to: us-west-2, sampling: 0.25}
        - {from: us-east-1, to: eu-west-1, sampling: 0.5}
      """)
    func trace(_ number: UInt64) -> Data { OTLPSpan.traceID(number, .max) }
    func call(_ number: UInt64, _ id: UInt64, _ peer: String) -> OTLPSpan {
      OTLPSpan(trace(number), id, .client, [.text("peer.region", peer)])
    }
    func work(_ number: UInt64, _ id: UInt64) -> OTLPSpan { OTLPSpan(trace(number), id) }
    // The span without a peer comes first in its request; the routes of the whole request count.
    try await relay.post(Emission("shop", nil, [work(1, 11), call(1, 12, "us-west-2")]))
    // Another connection each time: the relay remembers the trace.
    try await relay.post(Emission("shop", nil, [work(1, 13)]))
    // From now on the trace travels a more generous route, too, and all of it follows that.
    try await relay.post(Emission("shop", nil, [call(1, 14, "us-west-2"), call(1, 15, "eu-west-1"), work(1, 16)]))
    try await relay.post(Emission("shop", nil, [call(1, 17, "us-west-2")]))
    // The third trace makes the memory forget the one that was used longest ago.
    try await relay.post(Emission("shop", nil, [call(2, 21, "us-west-2")]))
    try await relay.post(Emission("shop", nil, [call(3, 31, "us-west-2")]))
    try await relay.post(Emission("shop", nil, [work(1, 18), work(2, 22), work(3, 32)]))
    let arrived = try await sink.spans(atLeast: 12).map { ($0.id, $0.traceState) }
    let expected: [UInt64: String] = [
      11: "c", 12: "c", 13: "c", 14: "8", 15: "8", 16: "8", 17: "8", 21: "c", 31: "c", 18: "f", 22: "c", 32: "c",
    ]
    #expect(Dictionary(uniqueKeysWithValues: arrived) == expected.mapValues { "ot=th:\($0)" })
    let scrape = try await relay.scrape()
    func kept(_ target: String) -> Double {
      scrape["longspan_sampling_spans_total{source_region=\"us-east-1\",target_region=\"\(target)\",decision=\"kept\"}"]
    }
    #expect(kept("us-west-2") + kept("eu-west-1") + kept("us-east-1") == 12)
    #expect(kept("us-east-1") == 1)
    scrape.expectBalanced()
  }
}
