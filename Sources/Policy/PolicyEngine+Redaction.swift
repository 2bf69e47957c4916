public import TraceWire

/// Which route each span of a request travels: asked after `decide`, and only where routes redact.
extension PolicyEngine {
  /// Whether some route redacts.
  public var hasRouteRedaction: Bool { policy.hasRouteRedaction }

  /// Puts the index of each span's route in `RelayPolicy.routes` into `routes`, -1 where it travels none that redacts.
  public mutating func findRoutes(of facts: borrowing RequestFacts, into routes: inout [Int]) {
    routes.removeAll(keepingCapacity: true)
    let spans = facts.spans.span
    for index in spans.indices {
      guard spans[index].traits.isDisjoint(with: .invalid) else {
        routes.append(-1)
        continue
      }
      let bearing = bearings[index]
      var pair = bearing.pair
      if pair == SpanBearing.none {
        pair = origins[Int(spans[index].resource)].pair
        if bearing.group != SpanBearing.none {
          let group = groups.groups[Int(bearing.group)]
          if group.decision != nil { pair = group.pair }
        }
      }
      routes.append(route(ofPair: Int(pair)))
    }
  }

  /// The number of a pair's route, which is looked up once.
  private mutating func route(ofPair index: Int) -> Int {
    while routeNumbers.count <= index {
      let pair = pairs.pairs[routeNumbers.count]
      let source = pair.source == .overflow ? nil : memory.regions.name(pair.source)
      let target = pair.target == .overflow ? nil : memory.regions.name(pair.target)
      let number = policy.routes.number(from: source, to: target)
      routeNumbers.append(number.flatMap { policy.routes.routes[$0].redaction == nil ? nil : $0 } ?? -1)
    }
    return routeNumbers[index]
  }
}
