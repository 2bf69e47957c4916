public import TraceWire

/// A relay's policy, compiled once and shared by all loops. Immutable: a reload makes another one.
public final class RelayPolicy: Sendable {
  /// What it was compiled from.
  public let configuration: PolicyConfiguration
  /// What the walk has to look for: requests must be walked with these keys.
  public let attributeKeys: AttributeKeys
  let routes: RouteTable
  let rules: RegionRules
  let sampling: SpanSampling
  let resources: ResourceRules
  let baggage: BaggageRules?

  /// Whether some route redacts.
  let hasRouteRedaction: Bool

  /// Compiles a configuration. What is out of range is clamped; the configuration's validation says so to the user.
  public init(_ configuration: PolicyConfiguration) {
    self.configuration = configuration
    hasRouteRedaction = configuration.routes.contains { $0.redaction != nil }
    routes = RouteTable(configuration.routes)
    rules = RegionRules(configuration.regions)
    let probability = configuration.defaultProbability
    sampling = SpanSampling(probability: probability > 0 ? min(probability, 1) : 0)
    resources = ResourceRules(configuration.processors.detected, configuration.processors.resource)
    if let limits = configuration.baggage {
      // Only names of the configuration are in its tables: the secret need not be one.
      baggage = BaggageRules(limits, hash: KeyedHash(seed: 1))
      // Where names do not matter, what is few and short passes.
      let passes = limits.allow.isEmpty && limits.deny.isEmpty
      attributeKeys = AttributeKeys(
        prefix: limits.prefix, keys: limits.keys, headerAttributes: limits.headerAttributes,
        harmless: passes ? AttributeKeys.Harmless(count: limits.maxCount, length: limits.maxLength) : .init())
    } else {
      baggage = nil
      attributeKeys = AttributeKeys()
    }
  }
}
