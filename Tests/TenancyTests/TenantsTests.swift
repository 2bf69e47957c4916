import Synchronization
import Telemetry
import TestKit
import Testing
import TraceWire

@testable import Tenancy

/// A clock that stands still until it is moved.
final class ManualClock: Sendable {
  private let time = Atomic<UInt64>(1)
  var now: UInt64 { time.load(ordering: .relaxed) }
  func advance(_ nanoseconds: UInt64) { time.wrappingAdd(nanoseconds, ordering: .relaxed) }
}

@Suite struct TenantsTests {
  private let clock = ManualClock()

  private func tenants(_ rules: TenantRules = TenantRules(), key: TenantKey = .random()) -> Tenants {
    Tenants(rules, key: key) { [clock] in clock.now }
  }

  private func find(_ text: String?, _ tenants: Tenants) -> Tenant? {
    if case .tenant(let tenant) = tenants.find(text.map { Array($0.utf8)[...] }) { tenant } else { nil }
  }

  private func samples(_ tenants: Tenants, _ family: String) -> [String: Double] {
    var found: [String: Double] = [:]
    for sample in tenants.families().first(where: { $0.name == family })?.samples ?? [] {
      if case .number(let value) = sample.value {
        found[sample.labels.map(\.value).joined(separator: " "), default: 0] += value
      }
    }
    return found
  }

  @Test func aTenantIsTheSameEachTime() throws {
    let tenants = tenants()
    let first = try #require(find("a", tenants))
    #expect(first === find("a", tenants))
    let second = try #require(find("b", tenants))
    #expect(first.number == 1 && second.number == 2)
    #expect(tenants.name(of: 2) == "b")
    #expect(tenants.name(of: 0) == nil && tenants.name(of: 3) == nil)
  }

  @Test func withoutTheHeader() throws {
    #expect(find(nil, tenants()) == nil)
    #expect(find("", tenants()) == nil)
    #expect(find(nil, tenants(TenantRules(fallback: "someone")))?.name == "someone")
    for value in [nil, []] as [ArraySlice<UInt8>?] {
      guard case .missing = tenants(TenantRules(isRequired: true)).find(value) else {
        Issue.record("it is required")
        return
      }
    }
    guard case .invalid = tenants().find(Array("a b".utf8)[...]) else {
      Issue.record("it is no name")
      return
    }
  }

  /// One past the number is refused, and nobody takes the places of those that are configured.
  @Test func thereAreOnlySoMany() throws {
    let tenants = tenants(TenantRules(tenantsMax: 3, overrides: ["mine": TenantLimits()]))
    #expect(find("a", tenants) != nil && find("b", tenants) != nil)
    guard case .tooMany = tenants.find(Array("c".utf8)[...]) else {
      Issue.record("there are three")
      return
    }
    #expect(find("mine", tenants) != nil && find("a", tenants) != nil)
    #expect(samples(tenants, "longspan_tenant_refused_requests_total")["__overflow__ max_tenants"] == 1)
    #expect(samples(tenants, "longspan_tenants")[""] == 3)
    // What was accepted in another life is known all the same.
    #expect(tenants.known("d")?.number == 4)
    tenants.adopt(TenantRules(tenantsMax: 5))
    #expect(find("c", tenants) != nil)
  }

  @Test func numbersEnd() {
    let tenants = tenants(TenantRules(tenantsMax: .max))
    for number in 1...65_535 { #expect(tenants.known("t\(number)") != nil) }
    #expect(tenants.known("one more") == nil && find("one-more", tenants) == nil)
    #expect(samples(tenants, "longspan_tenant_received_spans_total").count == Tenants.labelsMax + 1)
  }

  @Test func limitsAreEachTenantsOwn() throws {
    let rules = TenantRules(
      limits: TenantLimits(spansPerSecond: 10),
      overrides: ["large": TenantLimits(spansPerSecond: 1000, bytesPerSecond: 500)])
    let tenants = tenants(rules)
    let (small, other, large) = (
      try #require(find("small", tenants)), try #require(find("other", tenants)), try #require(find("large", tenants))
    )
    #expect(small.refusal() == nil)
    #expect(small.take(spans: 30, bytes: 1 << 40) == nil)
    #expect(small.take(spans: 1, bytes: 1) == TenantRefusal(limit: .spans, retryAfter: .seconds(2)))
    #expect(small.refusal()?.retryAfter == .seconds(2))
    #expect(other.refusal() == nil, "another's debt is not its own")
    #expect(large.take(spans: 100, bytes: 1000) == nil)
    #expect(large.refusal() == TenantRefusal(limit: .bytes, retryAfter: .seconds(1)))
    clock.advance(1_000_000_001)
    #expect(large.refusal() == nil && small.refusal() != nil)
    clock.advance(1_000_000_001)
    #expect(small.refusal() == nil)
    #expect(small.received == 31 && small.refused(.spans) == 1 && small.refusedRequests(.spans) == 3)
    #expect(samples(tenants, "longspan_tenant_received_spans_total")["small"] == 31)
    #expect(samples(tenants, "longspan_tenant_refused_spans_total")["small spans_per_second"] == 1)
    #expect(samples(tenants, "longspan_tenant_refused_requests_total")["large bytes_per_second"] == 1)
  }

  @Test func otherLimitsHoldAtOnce() throws {
    let tenants = tenants(TenantRules(limits: TenantLimits(spansPerSecond: 1)))
    let tenant = try #require(find("a", tenants))
    _ = tenant.take(spans: 1000, bytes: 1)
    #expect(tenant.refusal() != nil)
    tenants.adopt(TenantRules())
    #expect(tenant.refusal() == nil)
    tenants.adopt(TenantRules(limits: TenantLimits(bytesPerSecond: 1)))
    #expect(tenant.take(spans: 1000, bytes: 5) == nil)
    #expect(tenant.refusal()?.limit == .bytes)
  }

  /// The same name and key give the same mask, and nothing else does.
  @Test func masks() throws {
    let key = TenantKey.random()
    let kept = try #require(TenantKey(key.bytes))
    #expect(TenantKey([]) == nil && TenantKey([UInt8](repeating: 0, count: 31)) == nil)
    var seen: Set<TraceID> = []
    for number in 0..<1000 {
      let name = "tenant-\(number)"
      let mask = try #require(tenants(key: key).known(name)).mask
      #expect(mask == kept.mask(of: name))
      #expect(mask.isValid && mask.high != 0 && mask.low != 0)
      #expect(seen.insert(mask).inserted)
      #expect(mask != TenantKey.random().mask(of: name))
    }
    // HMAC-SHA-256 as OpenSSL has it: `openssl dgst -sha256 -mac HMAC -macopt hexkey:00…00`.
    let zero = try #require(TenantKey([UInt8](repeating: 0, count: 32)))
    #expect(zero.mask(of: "team-a") == TraceID(high: 0x954e2420c91f98d8, low: 0xb22d4df5ddeeb860))
  }
}
