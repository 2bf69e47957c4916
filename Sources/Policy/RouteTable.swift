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

  private var numbers: [Pair: Int] = [:]
  /// The routes as they were given.
  public let routes: [Route]

  /// Compiles routes. Probabilities outside 0...1 are clamped, NaN is 0.
  public init(_ routes: [Route]) {
    self.routes = routes
    for (number, route) in routes.enumerated() {
      numbers[Pair(source: route.source, target: route.target)] = number
    }
  }

  /// Whether nothing is configured.
  public var isEmpty: Bool { numbers.isEmpty }

  /// The probability of a pair, nil where no route names it. A region without a name (past the cap) only matches `*`.
  public func probability(from source: String?, to target: String?) -> Double? {
    number(from: source, to: target).map { routes[$0].probability > 0 ? min(routes[$0].probability, 1) : 0 }
  }

  /// The index in `routes` of the one that holds for a pair, nil where none names it.
  public func number(from source: String?, to target: String?) -> Int? {
    let any = Route.anyRegion
    if let source, let target {
      if let exact = numbers[Pair(source: source, target: target)] { return exact }
      if source == target { return nil }
    }
    if let source, let found = numbers[Pair(source: source, target: any)] { return found }
    if let target, let found = numbers[Pair(source: any, target: target)] { return found }
    return numbers[Pair(source: any, target: any)]
  }
}
