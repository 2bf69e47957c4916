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
  private var rewriter: SpanRewriter
  private var resources: ResourceRewriter
  private var baggage: BaggageCounts
  private var fullTables: PolicyCounts.FullTables

  /// The number of each pair's route, as far as asked for.
  var routeNumbers: [Int] = []

  // Scratch, reused from request to request.
  var groups: TraceGroups
  /// One for each resource.
  var origins: [Origin] = []
  /// One for each span.
  var bearings: [SpanBearing] = []

  /// What is known of a resource: its region, the pair of that region with itself, whether a span of it is kept.
  struct Origin {
    var region: RegionID
    var pair: UInt32
    var isKept = false
  }

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
    rewriter = SpanRewriter(baggage: policy.baggage, keys: policy.attributeKeys)
    resources = ResourceRewriter(policy.resources, region: policy.configuration.region, hash: hash)
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

  /// What requests must be walked with.
  public var attributeKeys: AttributeKeys { policy.attributeKeys }

  /// The counters so far, those of the engines before included.
  public var counts: PolicyCounts {
    var counts = PolicyCounts()
    counts.pairs = pairs.pairs
    counts.baggage = baggage
    counts.fullTables = fullTables
    counts.fullTables.regions &+= interner.overflows
    counts.fullTables.pairs &+= pairs.overflows
    counts.fullTables.hosts &+= hosts.flushes
    counts.fullTables.resources &+= resources.flushes
    return counts
  }

  /// Decides every span and every resource of a request that was walked with the policy's `attributeKeys`, and whose
  /// bytes are `bytes`. `now` is monotonic, in nanoseconds. What is to be done is in `plan` afterwards.
  public mutating func decide(
    _ facts: borrowing RequestFacts, in bytes: RawSpan, now: UInt64, plan: inout RewritePlan
  ) -> PolicyTally {
    plan.reset(spans: facts.spans.count, resources: facts.resources.count)
    orient(facts, in: bytes)
    recall(now: now)
    var tally = PolicyTally()
    judge(facts, in: bytes, plan: &plan, tally: &tally)
    let resources = facts.resources.span
    for index in resources.indices where origins[index].isKept {
      plan.resources[index] = self.resources.rewrite(resources[index], in: bytes, to: &plan.scratch)
    }
    tally.skewWarning = skew.verdict()
    baggage += tally.baggage
    return tally
  }

  private mutating func judge(
    _ facts: borrowing RequestFacts, in bytes: RawSpan, plan: inout RewritePlan, tally: inout PolicyTally
  ) {
    let mode = policy.configuration.mode
    let unrouted = policy.sampling
    let spans = facts.spans.span
    for index in spans.indices {
      if facts.isLong { LongWork.step(index) }
      guard spans[index].traits.isDisjoint(with: .invalid) else {
        plan.spans[index] = .drop
        tally.rejected &+= 1
        continue
      }
      let bearing = bearings[index]
      let resource = Int(spans[index].resource)
      var sampling = unrouted
      var pair = bearing.pair != SpanBearing.none ? bearing.pair : origins[resource].pair
      if bearing.group != SpanBearing.none {
        let group = groups.groups[Int(bearing.group)]
        sampling = group.sampling
        if bearing.pair == SpanBearing.none, group.decision != nil { pair = group.pair }
      }
      let verdict = sampling.verdict(spans[index], mode: mode)
      if verdict == .drop {
        plan.spans[index] = .drop
        tally.sampledOut &+= 1
        pairs.count(isKept: false, at: Int(pair))
      } else if let action = rewriter.rewrite(
        spans[index], verdict, in: bytes, to: &plan.scratch, counts: &tally.baggage)
      {
        plan.spans[index] = action
        tally.kept &+= 1
        origins[resource].isKept = true
        pairs.count(isKept: true, at: Int(pair))
      } else {
        plan.spans[index] = .drop
        tally.rejected &+= 1
      }
    }
  }
}
