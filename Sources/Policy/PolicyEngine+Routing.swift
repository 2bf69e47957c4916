internal import TraceWire

/// Who speaks with whom: regions of resources and peers, the pairs spans name, the routes of each trace.
extension PolicyEngine {
  /// Finds every resource's region and every span's pair, and groups the spans by trace where there are routes.
  mutating func orient(_ facts: borrowing RequestFacts, in bytes: RawSpan) {
    let isRouting = !policy.routes.isEmpty
    locate(facts, in: bytes)
    // After an unusually large request the room goes with the next one that is not.
    if bearings.capacity > max(1 << 16, facts.spans.count &* 2) { bearings.giveBack() }
    bearings.removeAll(keepingCapacity: true)
    bearings.reserveCapacity(facts.spans.count)
    groups.reset(spans: isRouting ? facts.spans.count : 0)
    let spans = facts.spans.span
    for index in spans.indices {
      if facts.isLong { LongWork.step(index) }
      var bearing = SpanBearing()
      if spans[index].traits.isDisjoint(with: .invalid) {
        observeSkew(spans[index])
        let found = pair(of: spans[index], in: bytes)
        if isRouting { bearing.group = UInt32(truncatingIfNeeded: groups.index(of: spans[index].traceID)) }
        if let found, let probability = found.probability {
          bearing.pair = found.index
          if isRouting {
            let decision = RouteDecision(probability: probability, source: found.source, target: found.target)
            groups.join(decision, pair: found.index, at: Int(bearing.group))
          }
        }
      }
      bearings.append(bearing)
    }
  }

  private mutating func locate(_ facts: borrowing RequestFacts, in bytes: RawSpan) {
    origins.empty(capacityMax: max(1 << 12, facts.resources.count &* 2))
    let resources = facts.resources.span
    for index in resources.indices {
      let named = resources[index].region
      let region = named.isEmpty ? ownRegion : interner.intern(named, of: bytes)
      origins.append(Origin(region: region, pair: pair(from: region, to: region).index))
    }
  }

  @inline(__always)
  private mutating func observeSkew(_ span: borrowing SpanFacts) {
    guard !span.parentID.isValid, span.traits.isDisjoint(with: [.hasRandomness, .hasThreshold]) else { return }
    skew.observe(span.randomness)
  }

  /// Two regions with their route's probability: nil where they are one region that no route names.
  struct NamedPair {
    var index: UInt32
    var source: RegionID
    var target: RegionID
    var probability: Double?
  }

  /// The pair of regions a span names; nil where it names no peer.
  @inline(__always)
  private mutating func pair(of span: borrowing SpanFacts, in bytes: RawSpan) -> NamedPair? {
    switch span.kind {
    case .client, .producer:
      guard let peer = callee(of: span, in: bytes) else { return nil }
      return pair(from: origins[Int(span.resource)].region, to: peer)
    case .server, .consumer:
      guard let peer = caller(of: span, in: bytes) else { return nil }
      return pair(from: peer, to: origins[Int(span.resource)].region)
    case .unspecified, .internal:
      return nil
    }
  }

  /// A pair with its route. Between two regions there always is one, if only with the default probability.
  @inline(__always)
  mutating func pair(from source: RegionID, to target: RegionID) -> NamedPair {
    if let index = pairs.index(from: source, to: target) {
      let probability = pairs.pairs[index].probability
      return NamedPair(
        index: UInt32(truncatingIfNeeded: index), source: source, target: target, probability: probability)
    }
    return addPair(from: source, to: target)
  }

  private mutating func addPair(from source: RegionID, to target: RegionID) -> NamedPair {
    let sourceName = source == .overflow ? nil : memory.regions.name(source)
    let targetName = target == .overflow ? nil : memory.regions.name(target)
    var probability = policy.routes.probability(from: sourceName, to: targetName)
    if source != target { probability = probability ?? policy.sampling.probability }
    let index = pairs.insert(
      from: source, to: target, probability: probability, isAdmitted: memory.regions.admits(source, target))
    return NamedPair(
      index: UInt32(truncatingIfNeeded: index), source: source, target: target, probability: probability)
  }

  /// Joins each trace's routes in this request with those remembered of it, and settles how its spans are sampled.
  mutating func recall(now: UInt64) {
    var last = policy.sampling
    for index in groups.groups.indices {
      let group = groups.groups[index]
      guard let decision = memory.combine(group.id, with: group.decision, now: now) else { continue }
      if decision.probability != last.probability { last = SpanSampling(probability: decision.probability) }
      groups.groups[index].sampling = last
      if decision != group.decision {
        groups.groups[index].decision = decision
        groups.groups[index].pair = pair(from: decision.source, to: decision.target).index
      }
    }
  }
}
