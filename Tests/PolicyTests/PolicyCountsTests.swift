import Telemetry
import Testing
import TraceWire

@testable import Policy

@Suite struct PolicyCountsTests {
  private func samples(_ engines: [PolicyEngine], _ memory: TraceMemory, _ name: String) -> [String: Double] {
    let family = PolicyCounts.families(engines.map(\.counts), memory: memory).first { $0.name == name }
    var values: [String: Double] = [:]
    for sample in family?.samples ?? [] {
      guard case .number(let number) = sample.value else { continue }
      let key = sample.labels.map(\.value).joined(separator: " ")
      #expect(values[key] == nil, "a series comes once")
      values[key] = number
    }
    return values
  }

  private func policy(_ probability: Double = 1) -> RelayPolicy {
    RelayPolicy(
      PolicyConfiguration(
        region: "a", defaultProbability: probability, routes: [Route(from: "a", to: "b", probability: 0.5)]))
  }

  @Test func everyReasonAndConfiguredRouteIsThereFromTheStart() {
    let memory = TraceMemory(seed: 1)
    let engine = PolicyEngine(policy(), memory: memory, seed: 1)
    #expect(samples([engine], memory, "longspan_sampling_spans_total") == ["a b kept": 0, "a b dropped": 0])
    #expect(samples([engine], memory, "longspan_baggage_limited_total") == ["count": 0, "length": 0, "denied": 0])
  }

  @Test func spansCountUnderThePairThatDecided() {
    let memory = TraceMemory(seed: 1)
    var engine = PolicyEngine(policy(), memory: memory, seed: 1)
    var other = PolicyEngine(policy(), memory: memory, seed: 2)
    var request = FactsBuilder()
    let low = trace(0.3, 1)
    request.span(low, .client, callee: "b")
    request.span(low)
    request.span(low, .client, callee: "a")
    request.span(trace(0.3, 2))
    request.span(trace(0.9, 3), .client, callee: "b")
    request.span(trace(0.9, 3), .client, callee: "c")
    request.resource(region: "z")
    request.span(trace(0.9, 4))
    _ = engine.kept(request)
    var later = FactsBuilder()
    later.span(low)
    _ = other.kept(later)
    let expected: [String: Double] = [
      "a b kept": 1, "a b dropped": 4, "a a kept": 1, "a a dropped": 0, "a c kept": 1, "a c dropped": 0,
      "z z kept": 1, "z z dropped": 0,
    ]
    #expect(samples([engine, other], memory, "longspan_sampling_spans_total") == expected)

    let reloaded = PolicyEngine(policy(), memory: memory, counts: engine.counts, seed: 3)
    #expect(samples([reloaded, other], memory, "longspan_sampling_spans_total") == expected)
  }

  @Test func pairsPastTheCapCountTogether() {
    let memory = TraceMemory(seed: 1)
    var engine = PolicyEngine(policy(0), memory: memory, seed: 1)
    var warm = FactsBuilder()
    for number in 0..<900 { warm.resource(region: "r\(number)") }
    _ = engine.kept(warm)
    var calls = 0
    while engine.counts.pairs.count <= RegionDirectory.pairsMax {
      var request = FactsBuilder()
      request.resource(region: "r\(calls % 900)")
      request.span(trace(0.9, 5), .client, callee: "t\(calls / 900)")
      calls += 1
      _ = engine.kept(request)
    }
    #expect(samples([engine], memory, "longspan_sampling_spans_total")["__overflow__ __overflow__ kept"] == nil)
    var request = FactsBuilder()
    request.resource(region: "r0")
    request.span(trace(0.9, 6), .client, callee: "one too many")
    _ = engine.kept(request)
    #expect(samples([engine], memory, "longspan_sampling_spans_total")["__overflow__ __overflow__ dropped"] == 1)
    #expect(samples([engine], memory, "longspan_policy_table_full_total")["region_pairs"] == 1)
  }
}
