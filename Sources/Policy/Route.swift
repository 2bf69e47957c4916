/// An ordered pair of regions with the probability that a trace travelling it is kept. `*` stands for any region.
public struct Route: Hashable, Sendable {
  /// The region that calls, or `*`.
  public var source: String
  /// The region that is called, or `*`.
  public var target: String
  /// From 0 to 1.
  public var probability: Double
  /// What is taken out of the spans that travel it, besides what is taken out of all.
  public var redaction: RedactionRules?

  /// Stands for any region.
  public static let anyRegion = "*"

  /// Makes a route.
  public init(from source: String, to target: String, probability: Double, redaction: RedactionRules? = nil) {
    self.source = source
    self.target = target
    self.probability = probability
    self.redaction = redaction
  }
}
