public import TraceWire

/// One event loop's policy at work: the compiled policy with this loop's caches, scratch room and counters.
public struct PolicyEngine: Sendable {
  let policy: RelayPolicy
  let memory: TraceMemory
  let ownRegion: RegionID

  // Caches and counters.
  var interner: RegionInterner
  var hosts: HostCache
  var pairs: PairTable
  var skew = SkewDetector()
  private var baggage: BaggageCounts
  private var fullTables: PolicyCounts.FullTables

  // Scratch, reused from request to request.
  var groups: TraceGroups
  /// For each resource its region, and the pair of that region with itself.
  var origins: [(region: RegionID, pair: UInt32)] = []
  /// One for each span.
  var bearings: [SpanBearing] = []

  /// An engine for one loop. After a reload `counts` are those of the engine before. `seed` is the secret of its hashes.
  public init(
    _ policy: RelayPolicy, memory: TraceMemory, counts: PolicyCounts = PolicyCounts(),
    seed: UInt64 = .random(in: .min ... .max)
  ) {
    let hash = KeyedHash(seed: seed)
    var interner = RegionInterner(directory: memory.regions, hash: hash)
    var ids: [RegionID] = []
    for region in policy.rules.regions { ids.append(interner.register(region)) }
    ownRegion = interner.register(policy.configuration.region)
    hosts = HostCache(rules: policy.rules, ids: ids, hash: hash)
    pairs = PairTable(hash: hash)
    groups = TraceGroups(unrouted: policy.sampling, hash: hash)
    baggage = counts.baggage
    fullTables = counts.fullTables
    self.policy = policy
    self.memory = memory
    self.interner = interner
    registerPairs(counts)
  }

  /// Shows the configured routes from the start and goes on counting where the engine before left off.
  private mutating func registerPairs(_ counts: PolicyCounts) {
    for route in policy.routes.routes where route.source != Route.anyRegion && route.target != Route.anyRegion {
      let source = interner.register(route.source)
      _ = pair(from: source, to: interner.register(route.target))
    }
    for past in counts.pairs {
      let index = pair(from: past.source, to: past.target).index
      pairs.add(past, at: Int(index))
    }
  }

  /// The counters so far, those of the engines before included.
  public var counts: PolicyCounts {
    var counts = PolicyCounts()
    counts.pairs = pairs.pairs
    counts.baggage = baggage
    counts.fullTables = fullTables
    counts.fullTables.regions &+= interner.overflows
    counts.fullTables.pairs &+= pairs.overflows
    counts.fullTables.hosts &+= hosts.flushes
    return counts
  }

  /// Decides every span and every resource of a walked request, whose bytes are `bytes`. `now` is monotonic, in
  /// nanoseconds. What is to be done is in `plan` afterwards.
  public mutating func decide(
    _ facts: borrowing RequestFacts, in bytes: RawSpan, now: UInt64, plan: inout RewritePlan
  ) -> PolicyTally {
    plan.reset(spans: facts.spans.count, resources: facts.resources.count)
    orient(facts, in: bytes)
    recall(now: now)
    var tally = PolicyTally()
    judge(facts, in: bytes, plan: &plan, tally: &tally)
    tally.skewWarning = skew.verdict()
    baggage += tally.baggage
    return tally
  }

  private mutating func judge(
    _ facts: borrowing RequestFacts, in bytes: RawSpan, plan: inout RewritePlan, tally: inout PolicyTally
  ) {
    let mode = policy.configuration.mode
    let spans = facts.spans.span
    for index in spans.indices {
      guard spans[index].traits.isDisjoint(with: .invalid) else {
        plan.spans[index] = .drop
        tally.rejected &+= 1
        continue
      }
      let bearing = bearings[index]
      var sampling = policy.sampling
      var pair = bearing.pair != SpanBearing.none ? bearing.pair : origins[Int(spans[index].resource)].pair
      if bearing.group != SpanBearing.none {
        let group = groups.groups[Int(bearing.group)]
        sampling = group.sampling
        if bearing.pair == SpanBearing.none, group.decision != nil { pair = group.pair }
      }
      let verdict = sampling.verdict(spans[index], mode: mode)
      pairs.count(isKept: verdict != .drop, at: Int(pair))
      if verdict == .drop {
        plan.spans[index] = .drop
        tally.sampledOut &+= 1
      } else {
        tally.kept &+= 1
      }
    }
  }
}
