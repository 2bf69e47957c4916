import Telemetry
import Testing
import TraceWire

@testable import Policy

@Suite struct PolicyEngineRoutingTests {
  let low = trace(0.3)
  let middle = trace(0.6)
  let high = trace(0.95)

  private func engine(
    _ region: String = "a", _ probability: Double = 1, routes: [Route], regions: [RegionRule] = [],
    memory: TraceMemory = TraceMemory(seed: 1)
  ) -> PolicyEngine {
    PolicyEngine(
      RelayPolicy(
        PolicyConfiguration(region: region, defaultProbability: probability, routes: routes, regions: regions)),
      memory: memory, seed: 9)
  }

  private func kept(_ engine: PolicyEngine, _ build: (inout FactsBuilder) -> Void) -> [Bool] {
    // A memory of its own: what one expectation sends must not be remembered in the next.
    var engine = PolicyEngine(engine.policy, memory: TraceMemory(seed: 5), seed: 6)
    var request = FactsBuilder()
    build(&request)
    return engine.kept(request)
  }

  @Test(arguments: [SpanFacts.Kind.client, .producer])
  func callersNameTheirPeer(kind: SpanFacts.Kind) {
    let engine = engine(routes: [Route(from: "a", to: "b", probability: 0.5)])
    #expect(kept(engine) { $0.span(low, kind, callee: "b") } == [false])
    #expect(kept(engine) { $0.span(middle, kind, callee: "b") } == [true])
    #expect(kept(engine) { $0.span(low, kind, callee: "c") } == [true], "no such route: the default")
    #expect(kept(engine) { $0.span(low, kind, caller: "b") } == [true], "the other side's attribute")
  }

  @Test(arguments: [SpanFacts.Kind.server, .consumer])
  func calleesNameTheirCaller(kind: SpanFacts.Kind) {
    let engine = engine("b", routes: [Route(from: "a", to: "b", probability: 0.5)])
    #expect(kept(engine) { $0.span(low, kind, caller: "a") } == [false])
    #expect(kept(engine) { $0.span(middle, kind, caller: "a") } == [true])
    #expect(kept(engine) { $0.span(low, kind, callee: "a") } == [true])
  }

  @Test(arguments: [SpanFacts.Kind.internal, .unspecified])
  func otherKindsNameNoRoute(kind: SpanFacts.Kind) {
    let engine = engine(routes: [Route(from: "*", to: "*", probability: 0)])
    #expect(kept(engine) { $0.span(low, kind, callee: "b", caller: "b") } == [true])
  }

  @Test func theResourcesRegionComesBeforeTheRelays() {
    let engine = engine(routes: [Route(from: "x", to: "b", probability: 0)])
    let kept = kept(engine) {
      $0.resource(region: "x")
      $0.span(trace(0.9, 1), .client, callee: "b")
      $0.resource()
      $0.span(trace(0.9, 2), .client, callee: "b")
    }
    #expect(kept == [false, true])
  }

  @Test func hostsAndAddressesTellRegions() {
    let rule = RegionRule(
      name: "b", hosts: ["*.b.example.com"], cidrs: [RegionRulesTests.block("10.20.0.0/16")])
    let engine = engine(routes: [Route(from: "a", to: "b", probability: 0)], regions: [rule])
    let server = PolicyEngine(
      RelayPolicy(
        PolicyConfiguration(region: "c", routes: [Route(from: "b", to: "c", probability: 0)], regions: [rule])),
      memory: TraceMemory(seed: 1), seed: 1)
    #expect(kept(engine) { $0.span(high, .client, calleeHost: "db.B.example.com") } == [false])
    #expect(kept(engine) { $0.span(high, .client, calleeHost: "10.20.1.1") } == [false])
    #expect(kept(engine) { $0.span(high, .client, calleeHost: "db", peerAddress: "10.20.1.1") } == [false])
    #expect(kept(engine) { $0.span(high, .client, peerAddress: "10.21.1.1") } == [true])
    #expect(kept(engine) { $0.span(high, .client, callee: "z", calleeHost: "db.b.example.com") } == [true])
    #expect(kept(server) { $0.span(high, .server, callerHost: "x.b.example.com") } == [false])
    #expect(kept(server) { $0.span(high, .server, peerAddress: "10.20.255.255") } == [false])
    #expect(kept(server) { $0.span(high, .server, calleeHost: "x.b.example.com") } == [true])
  }

  @Test func otherSpansFollowTheirTraceWhereverItIsInTheRequest() {
    let engine = engine("a", 0, routes: [Route(from: "a", to: "b", probability: 0.5)])
    let kept = kept(engine) {
      $0.span(middle)
      $0.span(trace(0.9, 8))
      $0.resource(region: "q")
      $0.span(middle, .server)
      $0.span(low)
      $0.resource()
      $0.span(low, .client, callee: "b")
      $0.span(middle, .client, callee: "b")
    }
    #expect(kept == [true, false, true, false, false, true])
  }

  @Test func theMostGenerousRouteHolds() {
    let routes = [
      Route(from: "a", to: "b", probability: 0.1), Route(from: "a", to: "c", probability: 0.5),
      Route(from: "a", to: "d", probability: 0),
    ]
    for order in [["b", "c", "d"], ["c", "b", "d"], ["d", "b", "c"]] {
      let kept = kept(engine(routes: routes)) { request in
        for peer in order { request.span(middle, .client, callee: peer) }
        request.span(middle)
      }
      #expect(kept == [true, true, true, true])
    }
    #expect(kept(engine(routes: routes)) { $0.span(middle, .client, callee: "b") } == [false])
    let unnamed = kept(engine("a", 1, routes: routes)) {
      $0.span(low, .client, callee: "b")
      $0.span(low, .client, callee: "nowhere configured")
    }
    #expect(unnamed == [true, true], "a pair without a route of its own has the default probability")
  }

  @Test func theMemoryIsSharedAndEnds() {
    let memory = TraceMemory(ttl: .seconds(1), seed: 1)
    let routes = [Route(from: "a", to: "b", probability: 0.5), Route(from: "a", to: "c", probability: 0.1)]
    var first = engine("a", 0, routes: routes, memory: memory)
    var second = engine("a", 0, routes: routes, memory: memory)
    var plain = FactsBuilder()
    plain.span(middle)
    var call = FactsBuilder()
    call.span(middle, .client, callee: "b")
    var rarer = FactsBuilder()
    rarer.span(middle, .client, callee: "c")
    #expect(second.kept(plain, now: 0) == [false])
    #expect(second.kept(rarer, now: 0) == [false])
    #expect(first.kept(call, now: 1) == [true])
    #expect(second.kept(plain, now: 2) == [true])
    #expect(second.kept(rarer, now: 2) == [true])
    #expect(second.kept(plain, now: 1_000_000_002) == [false])
    var reloaded = PolicyEngine(
      RelayPolicy(PolicyConfiguration(region: "a", defaultProbability: 0, routes: [routes[1]])), memory: memory)
    #expect(first.kept(call, now: 5_000_000_000) == [true])
    #expect(reloaded.kept(plain, now: 5_000_000_001) == [true], "what was remembered outlives a reload")
  }

  @Test func withoutRoutesTheMemoryIsLeftAlone() {
    let memory = TraceMemory(seed: 1)
    var engine = engine("a", 0.5, routes: [], memory: memory)
    var request = FactsBuilder()
    request.span(middle, .client, callee: "b")
    request.span(low, .client, callee: "b")
    #expect(engine.kept(request) == [true, false])
    #expect(memory.count == 0)
  }

  @Test func bothEndsOfARouteKeepTheSameTraces() {
    let seed: UInt64 = 2024
    var random = SeededRandom(seed)
    let routes = [Route(from: "a", to: "b", probability: 0.3)]
    var here = engine("a", 1, routes: routes)
    var there = PolicyEngine(
      RelayPolicy(PolicyConfiguration(region: "b", defaultProbability: 0.01, routes: routes)),
      memory: TraceMemory(seed: 77), seed: 78)
    var kept = 0
    for _ in 0..<100 {
      var calls = FactsBuilder()
      var serves = FactsBuilder()
      var expected: [Bool] = []
      for _ in 0..<100 {
        let id = TraceID(high: random.next(), low: random.next())
        calls.span(id, .client, callee: "b")
        serves.span(id, .server, caller: "a")
        expected.append(id.low & (Threshold.limit - 1) >= Threshold(probability: 0.3).rawValue)
      }
      #expect(here.kept(calls) == expected, "seed \(seed)")
      #expect(there.kept(serves) == expected, "seed \(seed)")
      kept += expected.filter(\.self).count
    }
    #expect((2800...3200).contains(kept))
  }

  @Test func invalidSpansAreRejectedAndNameNoRoute() {
    var engine = engine("a", 0, routes: [Route(from: "a", to: "b", probability: 1)])
    var request = FactsBuilder()
    request.span(high, .client, callee: "b", traits: .invalidSpanID)
    request.span(TraceID(), .client, callee: "b", traits: .invalidTraceID)
    request.span(high)
    var plan = RewritePlan()
    let tally = engine.decide(request, plan: &plan)
    #expect(tally.rejected == 2)
    #expect(tally.sampledOut == 1)
    #expect(tally.kept == 0)
  }

  @Test func skewIsReportedOnce() {
    var engine = engine(routes: [])
    var warnings = 0
    for round in 0..<100 {
      var request = FactsBuilder()
      for number in 0..<100 {
        request.span(trace(Double(number) / 1000, UInt64(round * 100 + number + 1)), parent: 0)
        request.span(trace(0.2), parent: 7)
        request.span(trace(0.2), th: "1", parent: 0)
        request.span(trace(0.2), rv: 5, parent: 0)
      }
      var plan = RewritePlan()
      if let skew = engine.decide(request, plan: &plan).skewWarning {
        warnings += 1
        #expect(skew.upperHalfShare == 0)
        #expect(skew.traces == 4100)
      }
    }
    #expect(warnings == 1)
  }
}
