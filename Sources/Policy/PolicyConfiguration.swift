/// What a relay's configuration says about policy, in plain words.
public struct PolicyConfiguration: Sendable {
  /// The relay's own region.
  public var region: String
  /// The probability for spans that travel no route, and for pairs of regions that no route names. From 0 to 1.
  public var defaultProbability: Double
  /// How thresholds that spans already carry are joined with ours.
  public var mode: SamplingMode
  /// The routes.
  public var routes: [Route]
  /// How peers' regions are recognised where no attribute names them.
  public var regions: [RegionRule]
  /// The limits on baggage; nil where there are none.
  public var baggage: BaggageLimits?
  /// What is done to attributes and names besides.
  public var processors: ProcessorRules

  /// A configuration that drops nothing and edits nothing but the region stamp.
  public init(
    region: String, defaultProbability: Double = 1, mode: SamplingMode = .equalizing, routes: [Route] = [],
    regions: [RegionRule] = [], baggage: BaggageLimits? = nil, processors: ProcessorRules = ProcessorRules()
  ) {
    self.region = region
    self.defaultProbability = defaultProbability
    self.mode = mode
    self.routes = routes
    self.regions = regions
    self.baggage = baggage
    self.processors = processors
  }
}
