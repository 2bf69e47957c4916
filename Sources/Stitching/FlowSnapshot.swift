internal import Telemetry

/// Everything a shard has counted, at one moment. Those of several shards merge into the process's.
public struct FlowSnapshot: Sendable {
  /// Traces that are being collected.
  public private(set) var liveTraces: Int
  /// Spans of those.
  public private(set) var heldSpans: Int
  /// Ends of links that outlive their trace.
  public private(set) var halfLinks: Int
  /// Bytes of live traces and of what is remembered of closed ones.
  public private(set) var memoryBytes: Int
  var closedTraces: Int
  var regions: [LabelName]
  var services: [LabelName]
  var pairKeys: [RegionPair]
  var edgeKeys: [ServiceEdge]
  var pairs: [PairFlow]
  var edges: [EdgeFlow]
  var serviceFlows: [ServiceFlow]
  var closed: SIMD4<UInt64>
  var unmatchedEntries: [UInt64]
  var lateSpans: [UInt64]
  var earlyClosings: [UInt64]
  var duplicates: UInt64
  var overBudget: UInt64
  /// Closed traces, half links and late spans that were forgotten before their time.
  var forgotten: SIMD4<UInt64>
  /// Names past the caps: of regions, services, pairs, edges.
  var overflows: SIMD4<UInt64>

  init(_ state: ShardState) {
    liveTraces = state.live.count
    heldSpans = state.live.spanCount
    halfLinks = state.halfLinks.count
    closedTraces = state.closed.count
    memoryBytes = state.memoryBytes
    pairs = state.flows.pairs
    edges = state.flows.edges
    serviceFlows = state.flows.services
    closed = state.flows.closed
    unmatchedEntries = state.flows.unmatchedEntries
    lateSpans = state.flows.lateSpans
    earlyClosings = state.earlyClosings
    duplicates = state.duplicates
    overBudget = state.overBudget
    forgotten = SIMD4(
      UInt64(state.closed.evictions), UInt64(state.halfLinks.evictions),
      UInt64(state.lateSpans.evictions + state.latePairs.evictions), 0)
    let labels = state.segmenter.labels
    overflows = SIMD4(
      UInt64(labels.regions.overflows), UInt64(labels.services.overflows),
      UInt64(state.flows.pairNumbers.overflows), UInt64(state.flows.edgeNumbers.overflows))
    // Read last: every number counted above has its name by now.
    regions = state.names.regions.keys
    services = state.names.services.keys
    pairKeys = state.names.pairs.keys
    edgeKeys = state.names.edges.keys
  }

  /// Nothing but what an earlier process has counted, by the names of this one.
  init(_ totals: FlowTotals, names: FlowNames, empty: Histogram) {
    (liveTraces, heldSpans, halfLinks, memoryBytes, closedTraces) = (0, 0, 0, 0, 0)
    (forgotten, overflows) = (.zero, .zero)
    let renumbered = totals.renumbered(names: names, empty: empty)
    regions = names.regions.keys
    services = names.services.keys
    pairKeys = names.pairs.keys
    edgeKeys = names.edges.keys
    pairs = renumbered.pairs
    edges = renumbered.edges
    serviceFlows = renumbered.services
    closed = SIMD4(totals.closed + [UInt64](repeating: 0, count: max(0, 4 - totals.closed.count)))
    unmatchedEntries = renumbered.unmatchedEntries
    lateSpans = renumbered.lateSpans
    earlyClosings = totals.earlyClosings
    duplicates = totals.duplicates
    overBudget = totals.overBudget
  }

  /// Adds what another shard of the same process has counted.
  public mutating func merge(_ other: FlowSnapshot) {
    liveTraces += other.liveTraces
    heldSpans += other.heldSpans
    halfLinks += other.halfLinks
    memoryBytes += other.memoryBytes
    closedTraces += other.closedTraces
    if other.regions.count > regions.count { regions = other.regions }
    if other.services.count > services.count { services = other.services }
    if other.pairKeys.count > pairKeys.count { pairKeys = other.pairKeys }
    if other.edgeKeys.count > edgeKeys.count { edgeKeys = other.edgeKeys }
    Self.merge(&pairs, other.pairs) { $0.merge($1) }
    Self.merge(&edges, other.edges) { $0.merge($1) }
    Self.merge(&serviceFlows, other.serviceFlows) { $0.merge($1) }
    closed &+= other.closed
    Self.merge(&unmatchedEntries, other.unmatchedEntries) { $0 &+= $1 }
    Self.merge(&lateSpans, other.lateSpans) { $0 &+= $1 }
    Self.merge(&earlyClosings, other.earlyClosings) { $0 &+= $1 }
    duplicates &+= other.duplicates
    overBudget &+= other.overBudget
    forgotten &+= other.forgotten
    overflows &+= other.overflows
  }

  private static func merge<Flow>(_ flows: inout [Flow], _ others: [Flow], _ add: (inout Flow, Flow) -> Void) {
    for (number, other) in others.enumerated() {
      if number < flows.count { add(&flows[number], other) } else { flows.append(other) }
    }
  }
}

extension PairFlow {
  mutating func merge(_ other: PairFlow) {
    traces += other.traces
    requests += other.requests
    errors += other.errors
    bytes += other.bytes
    client.merge(other.client)
    server.merge(other.server)
    network.merge(other.network)
  }
}

extension EdgeFlow {
  mutating func merge(_ other: EdgeFlow) {
    requests += other.requests
    failed += other.failed
    client.merge(other.client)
    server.merge(other.server)
  }
}

extension ServiceFlow {
  mutating func merge(_ other: ServiceFlow) {
    errors += other.errors
    duration.merge(other.duration)
  }
}
