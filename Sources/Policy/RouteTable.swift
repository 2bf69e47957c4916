/// The configured routes, looked up by a pair of regions: the exact pair, then `from: X, to: "*"`, then
/// `from: "*", to: Y`, then `*` on both sides. Of two routes with the same pair the later one holds.
///
/// A pair of the same region on both sides is a route only where exactly that pair is configured: a wildcard speaks of
/// traffic between regions.
public struct RouteTable: Sendable {
  private struct Pair: Hashable {
    var source: String
    var target: String
  }

  private var probabilities: [Pair: Double] = [:]
  /// The routes as they were given.
  public let routes: [Route]

  /// Compiles routes. Probabilities outside 0...1 are clamped, NaN is 0.
  public init(_ routes: [Route]) {
    self.routes = routes
    for route in routes {
      let probability = route.probability > 0 ? min(route.probability, 1) : 0
      probabilities[Pair(source: route.source, target: route.target)] = probability
    }
  }

  /// Whether nothing is configured.
  public var isEmpty: Bool { probabilities.isEmpty }

  /// The probability of a pair, nil where no route names it. A region without a name (past the cap) only matches `*`.
  public func probability(from source: String?, to target: String?) -> Double? {
    let any = Route.anyRegion
    if let source, let target {
      if let exact = probabilities[Pair(source: source, target: target)] { return exact }
      if source == target { return nil }
    }
    if let source, let found = probabilities[Pair(source: source, target: any)] { return found }
    if let target, let found = probabilities[Pair(source: any, target: target)] { return found }
    return probabilities[Pair(source: any, target: any)]
  }
}
