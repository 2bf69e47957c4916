/// An ordered pair of regions with the probability that a trace travelling it is kept. `*` stands for any region.
public struct Route: Hashable, Sendable {
  /// The region that calls, or `*`.
  public var source: String
  /// The region that is called, or `*`.
  public var target: String
  /// From 0 to 1.
  public var probability: Double

  /// Stands for any region.
  public static let anyRegion = "*"

  /// Makes a route.
  public init(from source: String, to target: String, probability: Double) {
    self.source = source
    self.target = target
    self.probability = probability
  }
}
