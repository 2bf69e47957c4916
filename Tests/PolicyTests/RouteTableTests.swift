import Policy
import Testing

@Suite struct RouteTableTests {
  let table = RouteTable([
    Route(from: "*", to: "*", probability: 0.01),
    Route(from: "*", to: "b", probability: 0.2),
    Route(from: "a", to: "*", probability: 0.3),
    Route(from: "a", to: "b", probability: 0.4),
    Route(from: "c", to: "c", probability: 0.5),
  ])

  @Test func exactThenSourceThenTargetThenAny() {
    #expect(table.probability(from: "a", to: "b") == 0.4)
    #expect(table.probability(from: "a", to: "c") == 0.3)
    #expect(table.probability(from: "c", to: "b") == 0.2)
    #expect(table.probability(from: "c", to: "d") == 0.01)
    #expect(
      RouteTable([Route(from: "a", to: "*", probability: 0.3), Route(from: "*", to: "b", probability: 0.2)])
        .probability(from: "a", to: "b") == 0.3)
    #expect(RouteTable([]).probability(from: "a", to: "b") == nil)
  }

  @Test func oneRegionIsARouteOnlyWhereItIsNamed() {
    #expect(table.probability(from: "a", to: "a") == nil)
    #expect(table.probability(from: "b", to: "b") == nil)
    #expect(table.probability(from: "c", to: "c") == 0.5)
  }

  @Test func regionsWithoutANameMatchOnlyWildcards() {
    #expect(table.probability(from: nil, to: "b") == 0.2)
    #expect(table.probability(from: "a", to: nil) == 0.3)
    #expect(table.probability(from: nil, to: nil) == 0.01)
  }

  @Test func probabilitiesAreClampedAndTheLaterRouteHolds() {
    #expect(RouteTable([Route(from: "a", to: "b", probability: 1.5)]).probability(from: "a", to: "b") == 1)
    #expect(RouteTable([Route(from: "a", to: "b", probability: -1)]).probability(from: "a", to: "b") == 0)
    #expect(RouteTable([Route(from: "a", to: "b", probability: .nan)]).probability(from: "a", to: "b") == 0)
    let twice = [Route(from: "a", to: "b", probability: 0.1), Route(from: "a", to: "b", probability: 0.2)]
    #expect(RouteTable(twice).probability(from: "a", to: "b") == 0.2)
  }
}
