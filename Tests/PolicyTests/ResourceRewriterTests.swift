import Policy
import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@testable import Policy

/// Resources through the real walk and writer.
@Suite struct ResourceRewriterTests {
  private func engine(_ actions: [AttributeAction] = []) -> PolicyEngine {
    PolicyEngine(
      RelayPolicy(PolicyConfiguration(region: "us-east-1", processors: .with(actions))),
      memory: TraceMemory(seed: 1), seed: 2)
  }

  private let stamp = OTLPAttribute("cloud.region", "us-east-1")

  @Test func aResourceWithoutRegionIsStampedEachTime() throws {
    var engine = engine()
    let name = OTLPAttribute("service.name", "shop")
    for _ in 0..<3 {
      let output = try engine.relay(OTLPRequest([OTLPSpan(trace(0.1))], resource: [name])).output
      #expect(output.resourceSpans.first?.resource.attributes == [name, stamp])
    }
    var bare = OTLPRequest([OTLPSpan(trace(0.1))])
    bare.resourceSpans[0].clearResource()
    #expect(try engine.relay(bare).output.resourceSpans.first?.resource.attributes == [stamp])
  }

  @Test func aResourceThatNamesItsRegionIsCopied() throws {
    var engine = engine()
    let request = OTLPRequest([OTLPSpan(trace(0.1))], resource: [OTLPAttribute("deployment.region", "x")])
    #expect(try engine.relay(request).output == request)
  }

  @Test func actionsOfEveryKindAndType() throws {
    var engine = engine([
      AttributeAction(.upsert, key: "deployment.environment", value: .string("production")),
      AttributeAction(.insert, key: "replicas", value: .int(-3)),
      AttributeAction(.update, key: "share", value: .double(0.5)),
      AttributeAction(.insert, key: "canary", value: .bool(false)),
      AttributeAction(.delete, key: "secret"),
    ])
    let before = [
      OTLPAttribute("secret", "1"), OTLPAttribute("region", "x"), OTLPAttribute("share", "2"),
      OTLPAttribute("deployment.environment", "test"),
    ]
    for _ in 0..<2 {
      let output = try engine.relay(OTLPRequest([OTLPSpan(trace(0.1))], resource: before)).output
      let after = try #require(output.resourceSpans.first).resource
      let values = after.attributes.map { "\($0.key) \($0.value.textFormatString())" }.sorted()
      #expect(
        values == [
          "canary bool_value: false\n", "deployment.environment string_value: \"production\"\n",
          "region string_value: \"x\"\n", "replicas int_value: -3\n", "share double_value: 0.5\n",
        ])
      #expect(after.droppedAttributesCount == 0)
    }
  }

  @Test func theRegionOfSpansIsWhatTheApplicationSaid() throws {
    let routes = [Route(from: "x", to: "b", probability: 0)]
    let actions = [AttributeAction(.upsert, key: "region", value: .string("elsewhere"))]
    var engine = PolicyEngine(
      RelayPolicy(PolicyConfiguration(region: "a", routes: routes, processors: .with(actions))),
      memory: TraceMemory(seed: 1), seed: 2)
    let span = OTLPSpan(trace(0.9), kind: .client, attributes: [OTLPAttribute("peer.region", "b")])
    let tally = try engine.relay(OTLPRequest([span], resource: [OTLPAttribute("region", "x")])).tally
    #expect(tally.sampledOut == 1)
  }

  @Test func resourcesWithoutKeptSpansAreLeftAlone() throws {
    var engine = PolicyEngine(
      RelayPolicy(PolicyConfiguration(region: "a", defaultProbability: 0)), memory: TraceMemory(seed: 1), seed: 2)
    var request = FactsBuilder()
    request.span(trace(0.5))
    var plan = RewritePlan()
    _ = engine.decide(request, plan: &plan)
    guard case .keep = try #require(plan.resources.first) else {
      Issue.record("no span of it is forwarded")
      return
    }
    #expect(plan.scratch.isEmpty)
  }

  /// Two `resource` fields in one `ResourceSpans`: the region stands in the first, the second is what another peer
  /// sends alone. What was stamped for the one must not be remembered for the other.
  @Test func whatStandsElsewhereIsNotRememberedForOthers() throws {
    // With an action, or a resource that names its region would not be looked at.
    var engine = engine([AttributeAction(.delete, key: "nothing")])
    let common = [OTLPAttribute("service.name", "shop")]
    let second = OTLPRequest([OTLPSpan(trace(0.1))], resource: common)
    var first = OTLPRequest()
    first.resourceSpans = [.with { $0.resource.attributes = [OTLPAttribute("region", "evil")] }]
    let parts: [[UInt8]] = try [first, second].map { try $0.resourceSpans[0].serializedBytes() }
    var bytes: [UInt8] = [0x0a]
    bytes.appendVarint(UInt64(parts[0].count + parts[1].count))
    bytes += parts[0] + parts[1]
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: engine.attributeKeys)
    var plan = RewritePlan()
    _ = engine.decide(facts, in: bytes.span.bytes, now: 0, plan: &plan)
    let output = try engine.relay(second).output
    #expect(output.resourceSpans.first?.resource.attributes == common + [stamp])
  }

  @Test func theCacheIsEmptiedWhenItIsFull() throws {
    var engine = engine()
    func relay(_ number: Int) throws {
      let name = OTLPAttribute("service.name", "shop \(number)")
      let output = try engine.relay(OTLPRequest([OTLPSpan(trace(0.1))], resource: [name])).output
      #expect(output.resourceSpans.first?.resource.attributes == [name, stamp])
    }
    for _ in 0..<2 {
      for number in 0..<ResourceRewriter.resourcesMax { try relay(number) }
      #expect(engine.counts.fullTables.resources == 0)
    }
    try relay(ResourceRewriter.resourcesMax)
    #expect(engine.counts.fullTables.resources == 1)
    try relay(0)
  }
}

extension ProcessorRules {
  /// The resource processor alone.
  static func with(_ resource: [AttributeAction]) -> ProcessorRules {
    var rules = ProcessorRules()
    rules.resource = resource
    return rules
  }
}
