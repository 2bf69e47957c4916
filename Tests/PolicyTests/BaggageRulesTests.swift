import Testing
import TraceWire

@testable import Policy

@Suite struct BaggageRulesTests {
  private func rules(_ limits: BaggageLimits) -> BaggageRules { BaggageRules(limits, hash: KeyedHash(seed: 1)) }

  private func objection(_ name: String, value: Int, kept: Int = 0, _ limits: BaggageLimits) -> BaggageReason? {
    let bytes = Array(name.utf8)
    return rules(limits).objection(
      to: ByteRange(0, bytes.count), in: bytes.span.bytes, valueLength: value, kept: kept)
  }

  @Test func eachCapIsCrossedByOne() {
    let limits = BaggageLimits(maxCount: 2, maxLength: 10)
    #expect(objection("name", value: 6, limits) == nil)
    #expect(objection("name", value: 7, limits) == .length)
    #expect(objection("name", value: 6, kept: 1, limits) == nil)
    #expect(objection("name", value: 6, kept: 2, limits) == .count)
    #expect(objection("name", value: 7, kept: 2, limits) == .length, "length comes before count")
    #expect(objection("n", value: 0, BaggageLimits(maxCount: 0)) == .count)
    #expect(objection("", value: 0, BaggageLimits(maxLength: 0)) == nil)
    #expect(objection("n", value: 0, BaggageLimits(maxLength: 0)) == .length)
  }

  @Test func listsComeFirst() {
    let both = BaggageLimits(maxCount: 0, maxLength: 0, allow: ["a", "b"], deny: ["b", "c"])
    #expect(objection("a", value: 1, both) == .length)
    #expect(objection("b", value: 1, both) == .denied, "denied even if allowed")
    #expect(objection("c", value: 1, both) == .denied)
    #expect(objection("d", value: 1, both) == .denied)
    let deny = BaggageLimits(deny: ["c"])
    #expect(objection("c", value: 1, deny) == .denied)
    #expect(objection("d", value: 1, deny) == nil)
    #expect(objection("C", value: 1, deny) == nil)
  }
}
