internal import Synchronization
public import Telemetry

/// All tenants that a process knows. One is known from its first request on, up to a number; they are never forgotten, so
/// that a number stays a tenant's for as long as anything is held of it.
public final class Tenants: Sendable {
  /// What a request's header says.
  public enum Finding: Sendable {
    /// Whose request it is; nil for nobody's.
    case tenant(Tenant?)
    /// The header has to be there and is not.
    case missing
    /// What stands there is no name, or there are several.
    case invalid
    /// It is a tenant that is not known, and there are as many as may be.
    case tooMany
  }

  /// Tenants that are shown by their names; the others share one.
  static let labelsMax = 1000

  private struct State {
    var rules: TenantRules
    var byName: [String: Tenant] = [:]
    var byNumber: [Tenant] = []
  }

  private let state: Mutex<State>
  private let key: TenantKey
  private let clock: @Sendable () -> UInt64
  private let overflows = AtomicCounter()
  /// The name of the header field, in lower case.
  public let header: String
  /// The same as bytes.
  public let headerBytes: [UInt8]

  /// Begins with the tenants that the rules name. `clock` tells monotonic nanoseconds.
  public init(_ rules: TenantRules, key: TenantKey, clock: @escaping @Sendable () -> UInt64) {
    header = rules.header
    headerBytes = Array(rules.header.utf8)
    self.key = key
    self.clock = clock
    state = Mutex(State(rules: rules))
    adopt(rules)
  }

  /// Puts other rules in force; the header's name stays.
  public func adopt(_ rules: TenantRules) {
    state.withLock { state in
      state.rules = rules
      for tenant in state.byNumber { tenant.adopt(rules.limits(of: tenant.name)) }
    }
    for name in rules.overrides.keys.sorted() + [rules.fallback].compactMap(\.self) { _ = known(name) }
  }

  /// Whose a request is whose header has this value, which is empty or nil where there is none.
  public func find(_ value: ArraySlice<UInt8>?) -> Finding {
    guard let value, !value.isEmpty else {
      let rules = state.withLock { $0.rules }
      if rules.isRequired { return .missing }
      return .tenant(rules.fallback.flatMap { known($0) })
    }
    guard let name = TenantName.read(value) else { return .invalid }
    guard let tenant = tenant(name, isAdmitted: false) else {
      overflows.add()
      return .tooMany
    }
    return .tenant(tenant)
  }

  /// The tenant of this name, however many there may be: its spans were accepted before. Nil where numbers have run out.
  public func known(_ name: String) -> Tenant? { tenant(name, isAdmitted: true) }

  private func tenant(_ name: String, isAdmitted: Bool) -> Tenant? {
    state.withLock { state in
      if let tenant = state.byName[name] { return tenant }
      let max = isAdmitted ? Int(UInt16.max) : min(state.rules.tenantsMax, Int(UInt16.max))
      guard state.byNumber.count < max else { return nil }
      let tenant = Tenant(
        name: name, number: UInt16(state.byNumber.count + 1), mask: key.mask(of: name),
        limits: state.rules.limits(of: name), clock: clock)
      state.byName[name] = tenant
      state.byNumber.append(tenant)
      return tenant
    }
  }

  /// The name of the tenant with this number; nil for 0, which is nobody's.
  public func name(of number: UInt16) -> String? {
    guard number > 0 else { return nil }
    return state.withLock { $0.byNumber.indices.contains(Int(number) - 1) ? $0.byNumber[Int(number) - 1].name : nil }
  }

  /// The metrics.
  public func families() -> [MetricFamily] {
    let tenants = state.withLock { $0.byNumber }
    var labels = CappedLabels(cap: Self.labelsMax)
    var received: [String: Int] = [:]
    var refusedSpans: [[String]: Int] = [:]
    var refusedRequests = [[CappedLabels.overflow, "max_tenants"]: overflows.value]
    for tenant in tenants {
      let label = labels.admit(tenant.name)
      received[label, default: 0] &+= tenant.received
      for limit in TenantLimit.allCases {
        refusedSpans[[label, limit.rawValue], default: 0] &+= tenant.refused(limit)
        refusedRequests[[label, limit.rawValue], default: 0] &+= tenant.refusedRequests(limit)
      }
    }
    return [
      MetricFamily(
        "longspan_tenants", .gauge, help: "Tenants that are known.", samples: [MetricSample([], Double(tenants.count))]),
      MetricFamily(
        "longspan_tenant_received_spans_total", .counter,
        help: "Spans of a tenant's readable requests, refused ones included.",
        samples: received.map { MetricSample([(name: "tenant", value: $0)], Double($1)) }),
      Self.family(
        "longspan_tenant_refused_spans_total",
        "Spans of requests that were read before a tenant's limit refused them.", refusedSpans),
      Self.family(
        "longspan_tenant_refused_requests_total",
        "Requests that a tenant's limit, or the number of tenants, refused; most of them unread.", refusedRequests),
    ]
  }

  private static func family(_ name: String, _ help: String, _ counts: [[String]: Int]) -> MetricFamily {
    MetricFamily(
      name, .counter, help: help,
      samples: counts.map { labels, count in
        MetricSample([(name: "tenant", value: labels[0]), (name: "reason", value: labels[1])], Double(count))
      })
  }
}
