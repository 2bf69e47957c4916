/// The batches being built on one event loop: one of the spans that are nobody's, and one for each tenant. Spans of two
/// tenants never share a batch. Where there are no tenants it is one batcher and a comparison.
public struct TenantBatcher: Sendable {
  /// May be changed at any time (a reload); holds from the next append on.
  public var limits: BatchLimits {
    didSet {
      nobodys.limits = limits
      for tenant in tenants.keys { tenants[tenant]?.limits = limits }
    }
  }
  private var nobodys: Batcher
  private var tenants: [String: Batcher] = [:]

  /// Above so many those that are empty are forgotten.
  private static let emptyMax = 64
  private static let expectedBytes = 2 << 10

  /// Makes empty batchers.
  public init(_ limits: BatchLimits) {
    self.limits = limits
    nobodys = Batcher(limits)
  }

  /// Whether the last spans of a tenant's open batch are this owner's.
  public func isOpen(for owner: UInt64, tenant: String?) -> Bool {
    guard let tenant else { return nobodys.isOpen(for: owner) }
    return tenants[tenant]?.isOpen(for: owner) ?? false
  }

  /// Spans in all open batches.
  public var spanCount: Int { tenants.values.reduce(nobodys.spanCount) { $0 + $1.spanCount } }

  /// When the first open batch is due, or nil where all are empty.
  public var nextDeadline: UInt64? {
    guard !tenants.isEmpty else { return nobodys.nextDeadline }
    return tenants.values.reduce(nobodys.nextDeadline) { earliest, batcher in
      guard let deadline = batcher.nextDeadline else { return earliest }
      return min(earliest ?? .max, deadline)
    }
  }

  /// Places the spans `range` of a tenant's request, as `Batcher` does.
  public mutating func append(
    _ range: Range<Int>, requestBytes: Int, tenant: String?, owner: UInt64? = nil, now: UInt64, sealed: inout [Batch],
    write: (_ range: Range<Int>, _ limit: Int, _ buffer: inout [UInt8]) -> Batcher.Written
  ) -> Batcher.Appended {
    guard let tenant else {
      return nobodys.append(
        range, requestBytes: requestBytes, owner: owner, now: now, sealed: &sealed, write: write)
    }
    let new = batcher(of: tenant)
    return tenants[tenant, default: new].append(
      range, requestBytes: requestBytes, owner: owner, now: now, sealed: &sealed, write: write)
  }

  /// Places a tenant's whole traces, as `Batcher` does.
  public mutating func append(
    whole payload: [UInt8], spans: Int, tenant: String?, owners: [UInt64] = [], now: UInt64, sealed: inout [Batch]
  ) -> Batcher.Appended {
    guard let tenant else {
      return nobodys.append(whole: payload, spans: spans, owners: owners, now: now, sealed: &sealed)
    }
    let new = batcher(of: tenant)
    return tenants[tenant, default: new].append(
      whole: payload, spans: spans, owners: owners, now: now, sealed: &sealed)
  }

  private func batcher(of tenant: String) -> Batcher {
    Batcher(limits, tenant: tenant, expectedBytes: Self.expectedBytes)
  }

  /// Closes the open batches that have waited long enough.
  public mutating func sealDue(_ now: UInt64) -> [Batch] { seal { $0.isDue(now) } }

  /// Closes all open batches that are not empty.
  public mutating func seal() -> [Batch] { seal { _ in true } }

  private mutating func seal(_ isMeant: (Batcher) -> Bool) -> [Batch] {
    var sealed: [Batch] = []
    if isMeant(nobodys), let batch = nobodys.seal() { sealed.append(batch) }
    guard !tenants.isEmpty else { return sealed }
    for tenant in tenants.keys {
      guard let batcher = tenants[tenant], isMeant(batcher), let batch = tenants[tenant]?.seal() else { continue }
      sealed.append(batch)
    }
    if tenants.count > Self.emptyMax { tenants = tenants.filter { $0.value.spanCount > 0 } }
    return sealed
  }
}
