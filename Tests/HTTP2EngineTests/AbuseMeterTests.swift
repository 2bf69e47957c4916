import Testing

@testable import HTTP2Engine

/// The bucket alone.
struct AbuseMeterTests {
  /// How many pings are borne.
  private func pings(_ meter: inout AbuseMeter, upTo count: Int) -> Int {
    for index in 0..<count where !meter.charge(.pings) { return index }
    return count
  }

  @Test func emptiesAtItsCapAndNotBefore() {
    var meter = AbuseMeter(AbuseMeter.Budget(tokens: 10, perSecond: 0))
    #expect(pings(&meter, upTo: 20) == 10)
  }

  @Test func timeRefillsItWithoutLoss() {
    var meter = AbuseMeter(AbuseMeter.Budget(tokens: 10, perSecond: 3))
    meter.advance(to: 5)
    for _ in 0..<10 { _ = meter.charge(.pings) }
    // A third of a second and a nanosecond make a token.
    meter.advance(to: 5 + 333_333_333)
    #expect(meter.tokens == 0)
    meter.advance(to: 5 + 333_333_334)
    #expect(meter.tokens == 1)
    meter.advance(to: 0)
    #expect(meter.tokens == 1)
    meter.advance(to: .max)
    #expect(meter.tokens == 10)
  }

  @Test func oddBudgetsAreHarmless() {
    for number in [Int.min, -1, 0, 1, Int.max] {
      var meter = AbuseMeter(
        AbuseMeter.Budget(tokens: number, perSecond: number, perRequest: number, bytesPerToken: number))
      meter.advance(to: 0)
      meter.advance(to: .max)
      meter.earn(dataBytes: number)
      meter.earnRequest()
      for kind in HTTP2Fault.Kind.allCases { _ = meter.charge(kind) }
      #expect(meter.tokens >= 0)
    }
  }

  @Test func dataEarns() {
    var meter = AbuseMeter(AbuseMeter.Budget(tokens: 10, perSecond: 0, bytesPerToken: 1000))
    for _ in 0..<10 { _ = meter.charge(.pings) }
    meter.earn(dataBytes: 999)
    #expect(pings(&meter, upTo: 5) == 0)
    meter.earn(dataBytes: 1)
    #expect(pings(&meter, upTo: 5) == 1)
  }
}
