internal import Telemetry
internal import TraceWire

/// Flow of one ordered region pair.
struct PairFlow: Sendable, Codable {
  var traces = 0.0
  var requests = 0.0
  var errors = 0.0
  var bytes = 0.0
  var client: Histogram
  var server: Histogram
  var network: Histogram
}

/// Flow of one edge of the service graph.
struct EdgeFlow: Sendable, Codable {
  var requests = 0.0
  var failed = 0.0
  var client: Histogram
  var server: Histogram
}

/// Traces of one service.
struct ServiceFlow: Sendable, Codable {
  var errors = 0.0
  var duration: Histogram
}

/// The flow metrics of a shard, by the numbers of their labels.
struct FlowCounters: Sendable {
  private let empty: Histogram
  private(set) var pairNumbers: InternCache<RegionPair>
  private(set) var edgeNumbers: InternCache<ServiceEdge>
  private(set) var pairs: [PairFlow] = []
  private(set) var edges: [EdgeFlow] = []
  private(set) var services: [ServiceFlow] = []
  /// Closed traces: local incomplete, local complete, cross-region incomplete, cross-region complete.
  private(set) var closed = SIMD4<UInt64>.zero
  private(set) var unmatchedEntries: [UInt64] = []
  private(set) var lateSpans: [UInt64] = []
  /// The last trace that had an error in each service, to count it once.
  private var lastFailed: [UInt64] = []
  private var traceNumber: UInt64 = 0

  init(limits: FlowLimits, names: FlowNames, hash: KeyedHash) {
    empty = Histogram(upperBounds: limits.durationBuckets)
    pairNumbers = InternCache(names.pairs, hash: hash)
    edgeNumbers = InternCache(names.edges, hash: hash)
  }

  /// Begins to count at zero again.
  mutating func reset() {
    pairs = []
    edges = []
    services = []
    closed = .zero
    unmatchedEntries = []
    lateSpans = []
    lastFailed = []
  }

  /// The number of the pair a link crosses between; `nil` where both ends are in one region.
  @inline(__always) mutating func crossing(_ parent: LinkEnd, _ child: LinkEnd) -> UInt32? {
    guard !parent.isInRegion(of: child) else { return nil }
    // Two regions past the cap are one series with the pairs past the cap.
    guard parent.region | child.region != 0 else { return 0 }
    return pairNumbers.number(of: RegionPair(source: parent.region, target: child.region))
  }

  /// Counts a crossing.
  mutating func count(crossing pair: UInt32, _ parent: LinkEnd, _ child: LinkEnd, isFirst: Bool) {
    while pairs.count <= Int(pair) { pairs.append(PairFlow(client: empty, server: empty, network: empty)) }
    let weight = child.weight
    if isFirst { pairs[Int(pair)].traces += weight }
    pairs[Int(pair)].requests += weight
    if !parent.flags.union(child.flags).isDisjoint(with: .error) { pairs[Int(pair)].errors += weight }
    pairs[Int(pair)].bytes += Double(child.bytes)
    guard parent.kind == .client, child.kind == .server else { return }
    let network = parent.duration.saturatingSubtract(child.duration)
    pairs[Int(pair)].client.observe(Self.seconds(parent.duration), weight: weight)
    pairs[Int(pair)].server.observe(Self.seconds(child.duration), weight: weight)
    pairs[Int(pair)].network.observe(Self.seconds(network), weight: weight)
  }

  /// Counts a link in the service graph, if it is one of a client and its server.
  mutating func count(edge parent: LinkEnd, _ child: LinkEnd) {
    guard parent.kind == .client, child.kind == .server else { return }
    let edge = ServiceEdge(
      client: parent.service, server: child.service, regions: RegionPair(source: parent.region, target: child.region))
    let isNameless = edge.client | edge.server == 0 && parent.region | child.region == 0
    let number = isNameless ? 0 : Int(edgeNumbers.number(of: edge))
    while edges.count <= number { edges.append(EdgeFlow(client: empty, server: empty)) }
    let weight = child.weight
    edges[number].requests += weight
    if !parent.flags.union(child.flags).isDisjoint(with: .error) { edges[number].failed += weight }
    edges[number].client.observe(Self.seconds(parent.duration), weight: weight)
    edges[number].server.observe(Self.seconds(child.duration), weight: weight)
  }

  /// Counts a trace that closes.
  mutating func count(closing records: [SpanRecord], _ summary: TraceSummary) {
    closed[(summary.isCrossRegion ? 2 : 0) + (summary.isComplete ? 1 : 0)] &+= 1
    reserve(service: summary.service)
    services[Int(summary.service)].duration.observe(Self.seconds(summary.duration), weight: summary.weight)
    traceNumber &+= 1
    let spans = records.span
    for index in spans.indices {
      if spans[index].link.flags.contains(.error) {
        let service = spans[index].link.service
        reserve(service: service)
        if lastFailed[Int(service)] != traceNumber {
          lastFailed[Int(service)] = traceNumber
          services[Int(service)].errors += summary.weight
        }
      }
      if spans[index].isUnmatchedEntry { Self.add(&unmatchedEntries, spans[index].link.region) }
    }
  }

  /// Counts a span that came after its trace was closed.
  mutating func count(late span: SpanRecord) { Self.add(&lateSpans, span.link.region) }

  private mutating func reserve(service: UInt32) {
    while services.count <= Int(service) {
      services.append(ServiceFlow(duration: empty))
      lastFailed.append(0)
    }
  }

  private static func add(_ counts: inout [UInt64], _ region: UInt16) {
    while counts.count <= Int(region) { counts.append(0) }
    counts[Int(region)] &+= 1
  }

  private static func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1e9 }
}
