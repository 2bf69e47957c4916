import Policy
import TestKit
import Testing
import TraceWire

/// Spans through the real walk and writer.
@Suite struct RelayedSpanTests {
  private func engine(
    _ probability: Double = 1, mode: SamplingMode = .equalizing, routes: [Route] = [], baggage: BaggageLimits? = nil
  ) -> PolicyEngine {
    PolicyEngine(
      RelayPolicy(
        PolicyConfiguration(
          region: "us-east-1", defaultProbability: probability, mode: mode, routes: routes, baggage: baggage)),
      memory: TraceMemory(seed: 1), seed: 2)
  }

  /// The tracestate a span leaves with, nil where it is dropped. Everything else must have stayed.
  private func state(
    _ trace: TraceID, _ state: String, p probability: Double, mode: SamplingMode = .equalizing
  ) throws -> String? {
    var engine = engine(probability, mode: mode)
    let span = OTLPSpan(trace, state: state)
    guard var left = try engine.relay(OTLPRequest([span])).output.spans.first else { return nil }
    let written = left.traceState
    left.traceState = state
    #expect(left == span)
    return written
  }

  @Test func theContractsExamples() throws {
    let high = trace(0.999)
    #expect(try state(high, "", p: 0.5) == "ot=th:8")
    #expect(try state(high, "", p: 0.1) == "ot=th:e666")
    #expect(try state(high, "", p: 0.01) == "ot=th:fd70a")
    #expect(try state(high, "", p: 1) == "")
    #expect(try state(high, "", p: 0) == nil)
    #expect(try state(trace(0.499), "", p: 0.5) == nil)
  }

  @Test func otherMembersAndKeysStay() throws {
    let left = try state(trace(0.999), "vendor=1,ot=rv:ffffffffffffff;x:y,other=2", p: 0.5)
    #expect(left == "ot=th:8;rv:ffffffffffffff;x:y,vendor=1,other=2")
    #expect(try state(trace(0.999), "vendor=1,ot=x:y", p: 1) == "vendor=1,ot=x:y")
  }

  @Test func givenRandomnessDecides() throws {
    #expect(try state(trace(0), "ot=rv:80000000000000", p: 0.5) == "ot=th:8;rv:80000000000000")
    #expect(try state(trace(0.999), "ot=rv:7fffffffffffff", p: 0.5) == nil)
    #expect(try state(trace(0.999), "ot=rv:7fff", p: 0.5) == "ot=th:8;rv:7fff", "an ill-formed one is none")
  }

  @Test func incomingThresholds() throws {
    let high = trace(0.999)
    #expect(try state(high, "ot=th:e666", p: 0.5) == "ot=th:e666")
    #expect(try state(high, "ot=th:8", p: 0.1) == "ot=th:e666")
    #expect(try state(high, "ot=th:8", p: 0.5, mode: .proportional) == "ot=th:c")
    #expect(try state(high, "a=b,ot=th:8", p: 1) == "a=b,ot=th:8")
  }

  @Test func contradictedThresholdsAreErased() throws {
    let middle = trace(0.6)
    #expect(try state(middle, "ot=th:e666", p: 1) == "")
    #expect(try state(middle, "a=b,ot=th:e666;rv:90000000000000", p: 1) == "ot=rv:90000000000000,a=b")
    #expect(try state(middle, "ot=th:e666", p: 0.5) == "ot=th:8")
    #expect(try state(middle, "ot=th:e666", p: 0.1) == nil)
  }

  @Test func bothEndsKeepTheSameTracesWithTheSameThreshold() throws {
    let seed: UInt64 = 99
    var random = SeededGenerator(seed: seed)
    let routes = [Route(from: "us-east-1", to: "us-west-2", probability: 0.5)]
    var here = engine(routes: routes)
    var there = PolicyEngine(
      RelayPolicy(PolicyConfiguration(region: "us-west-2", routes: routes)), memory: TraceMemory(seed: 3), seed: 4)
    let ids = (0..<10_000).map { _ in TraceID(high: random.next(), low: random.next()) }
    let calls = ids.map { OTLPSpan($0, kind: .client, attributes: [OTLPAttribute("peer.region", "us-west-2")]) }
    let serves = ids.map { OTLPSpan($0, kind: .server, attributes: [OTLPAttribute("client.region", "us-east-1")]) }
    let sent = try here.relay(OTLPRequest(calls)).output.spans
    let received = try there.relay(OTLPRequest(serves, resource: [])).output.spans
    let expected = ids.filter { $0.low & (Threshold.limit - 1) >= 1 << 55 }
    #expect(sent.map(\.traceID) == expected.map(\.bytes), "seed \(seed)")
    #expect(received.map(\.traceID) == expected.map(\.bytes), "seed \(seed)")
    #expect((sent + received).allSatisfy { $0.traceState == "ot=th:8" })
  }

  @Test func oneSpansTracestateNeverLeaksIntoTheNext() throws {
    var engine = engine(0.5)
    let states = ["", "vendor=1", "", "", "ot=x:y", "vendor=2,ot=th:e", "", "vendor=1"]
    let output = try engine.relay(OTLPRequest(states.map { OTLPSpan(trace(0.999), state: $0) })).output
    let expected = [
      "ot=th:8", "ot=th:8,vendor=1", "ot=th:8", "ot=th:8", "ot=th:8;x:y", "vendor=2,ot=th:e", "ot=th:8",
      "ot=th:8,vendor=1",
    ]
    #expect(output.spans.map(\.traceState) == expected)
  }

  @Test func invalidSpansAreRejectedAlone() throws {
    var engine = engine()
    var noTrace = OTLPSpan(trace(0.9))
    noTrace.traceID = TraceID().bytes
    var shortSpan = OTLPSpan(trace(0.9))
    shortSpan.spanID = shortSpan.spanID.prefix(7)
    let good = OTLPSpan(trace(0.9))
    let (output, tally) = try engine.relay(OTLPRequest([noTrace, good, shortSpan]))
    #expect(output.spans == [good])
    #expect(tally.rejected == 2)
    #expect(tally.kept == 1)
  }

  @Test func whatIsNotEditedIsCopied() throws {
    var engine = engine(baggage: BaggageLimits())
    let attributes = [OTLPAttribute("baggage.a", "1"), OTLPAttribute("http.request.header.baggage", "b=2 , c=3;p=1,,")]
    let request = OTLPRequest([OTLPSpan(trace(0.1), state: "ot=th:1", attributes: attributes)])
    #expect(try engine.relay(request).output == request)
  }

  @Test func droppedBaggageAndThresholdInOneEdit() throws {
    var engine = engine(0.5, baggage: BaggageLimits(maxCount: 1))
    let attributes = [OTLPAttribute("baggage.a", "1"), OTLPAttribute("k", "v"), OTLPAttribute("baggage.b", "2")]
    let span = OTLPSpan(trace(0.9), attributes: attributes)
    let (output, tally) = try engine.relay(OTLPRequest([span, OTLPSpan(trace(0.1), attributes: attributes)]))
    var expected = span
    expected.traceState = "ot=th:8"
    expected.attributes.removeLast()
    expected.droppedAttributesCount = 1
    #expect(output.spans == [expected])
    #expect(tally.baggage.total == 1, "what is not forwarded is not limited")
  }

  /// A host no rule knows does not hide one further down in rank that a rule does know.
  @Test(arguments: [
    [OTLPAttribute("peer.service", "product"), OTLPAttribute("url.full", "https://x@p.b.example.com:8443/items?q")],
    [OTLPAttribute("url.full", "http://p.b.example.com"), OTLPAttribute("server.address", "product")],
    [OTLPAttribute("server.address", "product"), OTLPAttribute("net.peer.name", "10.20.1.2")],
    [OTLPAttribute("server.address", "product"), OTLPAttribute("network.peer.address", "10.20.1.2")],
  ])
  func everyHostAttributeIsTried(_ attributes: [OTLPAttribute]) throws {
    let rule = RegionRule(
      name: "us-west-2", hosts: ["*.b.example.com"], cidrs: [RegionRulesTests.block("10.20.0.0/16")])
    var engine = PolicyEngine(
      RelayPolicy(
        PolicyConfiguration(
          region: "us-east-1", routes: [Route(from: "us-east-1", to: "us-west-2", probability: 0.5)], regions: [rule])),
      memory: TraceMemory(seed: 1), seed: 2)
    let span = OTLPSpan(trace(0.999), kind: .client, attributes: attributes)
    #expect(try engine.relay(OTLPRequest([span])).output.spans.first?.traceState == "ot=th:8")
  }
}
