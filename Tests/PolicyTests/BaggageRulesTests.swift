import Testing
import TraceWire

@testable import Policy

@Suite struct BaggageRulesTests {
  private func rules(_ limits: BaggageLimits) -> BaggageRules { BaggageRules(limits, hash: KeyedHash(seed: 1)) }

  private func role(_ key: String, _ rules: BaggageRules) -> String {
    let bytes = Array(key.utf8)
    switch rules.role(of: ByteRange(0, bytes.count), in: bytes.span.bytes) {
    case .other: return "other"
    case .header: return "header"
    case .entry(let name): return "entry \(String(decoding: bytes[name.indices], as: UTF8.self))"
    }
  }

  @Test func keysHaveRoles() {
    let limited = rules(
      BaggageLimits(prefix: "baggage.", keys: ["tenant", "baggage.listed"], headerAttributes: ["h", "baggage.h"]))
    #expect(role("baggage.user", limited) == "entry user")
    #expect(role("baggage.", limited) == "entry ")
    #expect(role("baggage", limited) == "other")
    #expect(role("Baggage.user", limited) == "other")
    #expect(role("tenant", limited) == "entry tenant")
    #expect(role("tenants", limited) == "other")
    #expect(role("baggage.listed", limited) == "entry listed")
    #expect(role("h", limited) == "header")
    #expect(role("baggage.h", limited) == "header")
    #expect(role("http.request.header.baggage", limited) == "other")
    #expect(role("x", rules(BaggageLimits(prefix: ""))) == "other", "an empty prefix is none")
    #expect(role("baggage.x", rules(BaggageLimits(prefix: nil))) == "other")
  }

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
