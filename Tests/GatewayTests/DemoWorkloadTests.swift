import Testing
import TraceWire

@testable import Gateway

@Suite struct DemoWorkloadTests {
  private func visits(seed: UInt64, _ count: Int) -> [DemoWorkload.Visit] {
    var workload = DemoWorkload(seed: seed)
    return (0..<count).map { workload.visit(now: 1_700_000_000_000_000_000 + UInt64($0) * 1_000_000) }
  }

  @Test func theSameSeedMakesTheSameTraffic() {
    let first = visits(seed: 7, 50).map { $0.spans.map(\.message) }
    #expect(first == visits(seed: 7, 50).map { $0.spans.map(\.message) })
    #expect(first != visits(seed: 8, 50).map { $0.spans.map(\.message) })
  }

  @Test func oneLookupInTenFails() {
    let all = visits(seed: 1, 200)
    let failed = all.filter { $0.spans.contains { $0.failure == "database timeout" } }
    #expect(failed.count == 20)
    #expect(failed.allSatisfy { $0.crossings == [RegionPair(source: "us-east-1", target: "us-west-2")] })
    #expect(all.filter { $0.crossings.count == 3 }.count == 180)
  }

  /// Each trace is one tree: one root, every other span's parent is there, and a child lies within its parent.
  @Test func everyVisitIsOneTree() throws {
    for visit in visits(seed: 3, 100) {
      let byID = Dictionary(uniqueKeysWithValues: visit.spans.map { ($0.spanID, $0) })
      #expect(visit.spans.filter { !$0.parentID.isValid }.count == 1)
      for span in visit.spans where span.parentID.isValid {
        let parent = try #require(byID[span.parentID])
        #expect(parent.start <= span.start && span.end <= parent.end)
      }
      #expect(Set(visit.spans.map(\.traceID)).count == 1)
    }
  }

  /// The pairs a visit says it crossed are those of its parent and child spans.
  @Test func crossingsAreThoseOfTheSpans() {
    for visit in visits(seed: 5, 30) {
      let byID = Dictionary(uniqueKeysWithValues: visit.spans.map { ($0.spanID, $0) })
      let pairs = visit.spans.compactMap { span -> RegionPair? in
        guard let parent = byID[span.parentID], parent.region != span.region else { return nil }
        return RegionPair(source: parent.region, target: span.region)
      }
      #expect(Set(pairs) == Set(visit.crossings))
    }
  }
}
