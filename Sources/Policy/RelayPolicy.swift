/// A relay's policy, compiled once and shared by all loops. Immutable: a reload makes another one.
public final class RelayPolicy: Sendable {
  /// What it was compiled from.
  public let configuration: PolicyConfiguration
  let routes: RouteTable
  let rules: RegionRules
  let sampling: SpanSampling

  /// Compiles a configuration. What is out of range is clamped; the configuration's validation says so to the user.
  public init(_ configuration: PolicyConfiguration) {
    self.configuration = configuration
    routes = RouteTable(configuration.routes)
    rules = RegionRules(configuration.regions)
    let probability = configuration.defaultProbability
    sampling = SpanSampling(probability: probability > 0 ? min(probability, 1) : 0)
  }
}
