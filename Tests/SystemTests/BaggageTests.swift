import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Limits on baggage, actions on resources and the stamp of the region, in what a relay forwards.
@Suite(.fewAtOnce) struct BaggageTests {
  typealias Attributes = [OTLPAttribute]

  private static let header = "http.request.header.baggage"

  private struct Case {
    var given: Attributes
    var left: Attributes
    var dropped: UInt32 = 0
    /// What an SDK has dropped before.
    var before: UInt32 = 0
  }

  private func relay(to sink: Sink, _ more: String) async throws -> LongspanProcess {
    try await Deployment.relay("us-east-1", to: "127.0.0.1:\(sink.port)", exporter: "compression: none", more: more)
  }

  /// Sends each case as a span and compares what comes out; the relay's last scrape.
  private func expect(_ cases: [Case], with context: String) async throws -> Scrape {
    let sink = try Sink()
    let relay = try await relay(to: sink, context)
    let sent = cases.enumerated().map { number, given in
      var span = OTLPSpan(OTLPSpan.traceID(0xba9, .max), UInt64(number + 1), .server, given.given)
      span.droppedAttributesCount = given.before
      return span
    }
    try await relay.post(Emission("shop", "us-east-1", sent))
    let arrived = try await sink.spans(atLeast: cases.count)
    #expect(arrived.count == cases.count)
    for (number, given) in cases.enumerated() {
      var expected = sent[number]
      expected.attributes = given.left
      expected.droppedAttributesCount = given.before + given.dropped
      #expect(arrived.first { $0.id == expected.id } == expected)
    }
    let scrape = try await relay.scrape(until: { $0.outcome("forwarded") == Double(cases.count) }, "all are forwarded")
    scrape.expectBalanced()
    return scrape
  }

  private static func entries(_ names: String...) -> Attributes { names.map { .text("baggage." + $0, "v") } }

  @Test func entriesPastTheLimitsAreDropped() async throws {
    let own: OTLPAttribute = .text("http.route", "/x")
    let cases = [
      // First come, first kept; other attributes stay between them.
      Case(
        given: Self.entries("a", "b") + [own] + Self.entries("c", "d", "e"),
        left: Self.entries("a", "b") + [own] + Self.entries("c"), dropped: 2),
      Case(given: Self.entries("a", "b", "c"), left: Self.entries("a", "b", "c")),
      // Name without prefix and value, in bytes: 20 fit. What an SDK dropped is counted on from.
      Case(
        given: [
          .text("baggage.k", String(repeating: "x", count: 19)), .text("baggage.k", String(repeating: "x", count: 20)),
        ],
        left: [.text("baggage.k", String(repeating: "x", count: 19))], dropped: 1, before: 7),
      Case(
        given: [.text("baggage.é", String(repeating: "é", count: 9))],
        left: [.text("baggage.é", String(repeating: "é", count: 9))]),
      Case(given: [.text("baggage.kk", String(repeating: "é", count: 10))], left: [], dropped: 1),
      Case(
        given: [.number("baggage.number", 12_345_678_901_234)], left: [.number("baggage.number", 12_345_678_901_234)]),
      Case(given: [.number("baggage.number", 123_456_789_012_345)], left: [], dropped: 1),
      // What is denied or too long takes no room of the others.
      Case(
        given: Self.entries("secret") + [.text("baggage.long", String(repeating: "x", count: 17))]
          + Self.entries("a", "b", "c", "d"),
        left: Self.entries("a", "b", "c"), dropped: 3),
      // A listed key counts whole; a prefix alone does not make an entry of another name.
      Case(
        given: [
          .text("tenant", String(repeating: "x", count: 14)), .text("tenant", String(repeating: "x", count: 15)),
          .text("tenants", String(repeating: "x", count: 99)),
        ],
        left: [
          .text("tenant", String(repeating: "x", count: 14)), .text("tenants", String(repeating: "x", count: 99)),
        ], dropped: 1),
      Case(given: [.text("baggage", "x"), own], left: [.text("baggage", "x"), own]),
      // Headers: rewritten with what is left, dropped when nothing is, untouched where nothing is to be dropped.
      Case(given: [.text(Self.header, "a=1,secret=x,b=2,c=3,d=4")], left: [.text(Self.header, "a=1,b=2,c=3")]),
      Case(given: [.text(Self.header, "secret=x"), own], left: [own], dropped: 1),
      Case(
        given: [.text(Self.header, "a=1 , b=2;prop=y ,c=%20")], left: [.text(Self.header, "a=1 , b=2;prop=y ,c=%20")]),
      Case(
        given: [.text(Self.header, "long=" + String(repeating: "x", count: 17) + ",b=2")],
        left: [.text(Self.header, "b=2")]),
      // Entries of all three sorts share one count, in the order of the attributes.
      Case(
        given: Self.entries("a") + [.text(Self.header, "b=1,c=2,d=3"), .text("tenant", "t")],
        left: Self.entries("a") + [.text(Self.header, "b=1,c=2")], dropped: 1),
      Case(given: [], left: []),
    ]
    let scrape = try await expect(
      cases, with: "context: {baggage: {restrictions: {maxCount: 3, maxLength: 20}, keys: [tenant], deny: [secret]}}")
    func limited(_ reason: String) -> Double { scrape["longspan_baggage_limited_total{reason=\"\(reason)\"}"] }
    #expect(limited("denied") == 1 + 1 + 1)
    #expect(limited("length") == 1 + 1 + 1 + 1 + 1 + 1)
    #expect(limited("count") == 2 + 1 + 1 + 1 + 1)
  }

  @Test func onlyWhatIsAllowedPasses() async throws {
    let scrape = try await expect(
      [
        Case(
          given: Self.entries("userId", "sessionId", "other") + [
            .text(Self.header, "x=1,userId=2"), .text("mine.a", "v"),
          ],
          left: Self.entries("userId") + [.text(Self.header, "userId=2"), .text("mine.a", "v")], dropped: 2)
      ], with: "context: {baggage: {allow: [userId, sessionId], deny: [sessionId]}}")
    #expect(scrape["longspan_baggage_limited_total{reason=\"denied\"}"] == 3)
  }

  @Test func otherNamesOfBaggageCanBeConfigured() async throws {
    _ = try await expect(
      [
        Case(
          given: Self.entries("a", "b") + [.text("ctx.a", "v"), .text("ctx.b", "v"), .text("x-baggage", "c=1,d=2")],
          left: Self.entries("a", "b") + [.text("ctx.a", "v")], dropped: 2),
        Case(given: [.text(Self.header, "a=1,b=2")], left: [.text(Self.header, "a=1,b=2")]),
      ],
      with: "context: {baggage: {restrictions: {maxCount: 1}, prefix: \"ctx.\", header_attributes: [x-baggage]}}")
  }

  /// The contract's defaults hold where the section is present, nothing where it is not or where it is switched off.
  @Test(arguments: ["", "context: {baggage: {enabled: false, restrictions: {maxCount: 1, maxLength: 1}, deny: [b]}}"])
  func withoutTheSectionNothingIsLimited(_ context: String) async throws {
    let many: Attributes = (0..<40).map { .text("baggage.b\($0)", String(repeating: "x", count: 2000)) }
    let scrape = try await expect([Case(given: many, left: many, before: 3)], with: context)
    #expect(scrape.sum("longspan_baggage_limited_total") == 0)
  }

  @Test func theDefaultsAreTenEntriesOf1024Bytes() async throws {
    let many: Attributes = (0..<11).map { .text("baggage.\($0 % 10)", String(repeating: "x", count: 1023)) }
    let long: OTLPAttribute = .text("baggage.k", String(repeating: "x", count: 1024))
    _ = try await expect(
      [Case(given: [long] + many, left: Array(many.prefix(10)), dropped: 2)],
      with: "context: {baggage: {enabled: true}}")
  }

  /// What sampling drops is not limited; what a route's threshold changes is limited all the same.
  @Test func limitsGoWithSampling() async throws {
    let sink = try Sink()
    let relay = try await relay(
      to: sink,
      """
      sampling: {type: probabilistic, param: 0.5}
      context: {baggage: {restrictions: {maxCount: 1}}}
      """)
    let kept = OTLPSpan(OTLPSpan.traceID(1, .max), 1, .server, Self.entries("a", "b"))
    let gone = OTLPSpan(OTLPSpan.traceID(1, 1), 2, .server, Self.entries("a", "b"))
    try await relay.post(Emission("shop", nil, [gone, kept]))
    var expected = kept
    expected.attributes = Self.entries("a")
    expected.droppedAttributesCount = 1
    expected.traceState = "ot=th:8"
    #expect(try await sink.spans(atLeast: 1) == [expected])
    let scrape = try await relay.scrape(until: { $0.outcomes == 2 }, "both have left")
    #expect(scrape["longspan_baggage_limited_total{reason=\"count\"}"] == 1)
  }

  @Test func resourcesAreEditedAndStamped() async throws {
    let sink = try Sink()
    let actions = """
      {key: deployment.environment, value: production, action: upsert}, {key: team, value: none, action: insert},
      {key: tier, value: 2, action: update}, {key: host.name, action: delete}
      """
    let text = Deployment.relayText("us-east-1", to: "127.0.0.1:\(sink.port)", exporter: "compression: none")
    let relay = try await LongspanProcess.start(
      "relay",
      text.replacing(
        "batch: {timeout: 100ms}",
        with: "batch: {timeout: 100ms}, resource: {attributes: [\(actions.replacing("\n", with: " "))]}"))
    let given: [Attributes] = [
      [.text("service.name", "a"), .text("host.name", "h"), .text("deployment.environment", "test")],
      [.text("team", "shop"), .number("tier", 1), .text("cloud.region", "eu-west-1")],
      [.text("topology.kubernetes.io/region", "mars"), .text("region", "")],
      [.text("region", "venus")],
      [],
    ]
    let production: OTLPAttribute = .text("deployment.environment", "production")
    let (none, stamp): (OTLPAttribute, OTLPAttribute) = (.text("team", "none"), .text("cloud.region", "us-east-1"))
    let expected: [Attributes] = [
      [.text("service.name", "a"), production, none, stamp],
      [.text("team", "shop"), .number("tier", 2), .text("cloud.region", "eu-west-1"), production],
      [.text("topology.kubernetes.io/region", "mars"), .text("region", ""), production, none],
      [.text("region", "venus"), production, none],
      [production, none, stamp],
    ]
    var request = OTLPRequest()
    for (number, attributes) in given.enumerated() {
      var emission = OTLPRequest([Emission("", nil, [OTLPSpan(OTLPSpan.traceID(2, .max), UInt64(number + 1))])])
      emission.resourceSpans[0].resource.attributes = attributes
      emission.resourceSpans[0].resource.droppedAttributesCount = 3
      request.resourceSpans += emission.resourceSpans
    }
    try await relay.post([request])
    _ = try await sink.spans(atLeast: given.count)
    let arrived = try sink.exports().flatMap(\.resourceSpans)
    for resourceSpans in arrived {
      let span = try #require(resourceSpans.scopeSpans.first?.spans.first)
      let wanted = expected[Int(span.id) - 1]
      #expect(Set(resourceSpans.resource.attributes) == Set(wanted))
      #expect(resourceSpans.resource.attributes.count == wanted.count)
      #expect(resourceSpans.resource.droppedAttributesCount == 3)
    }
    #expect(arrived.count == given.count)
  }
}
