import Policy
import TraceWire

/// What the metrics ought to say, from the spans applications made and what relays kept of them.
struct Truth {
  /// A span as a relay kept it.
  struct Kept {
    var threshold: Threshold?
    var bytes: Int
  }

  private(set) var kept: [SpanID: Kept] = [:]
  /// Spans that were kept twice, with different thresholds.
  private(set) var ambiguous: Set<SpanID> = []

  mutating func keep(_ span: SpanFacts) {
    let threshold = span.traits.contains(.hasThreshold) ? span.threshold : nil
    let new = Kept(threshold: threshold, bytes: span.body.count)
    if let before = kept[span.spanID], before.threshold != new.threshold { ambiguous.insert(span.spanID) }
    kept[span.spanID] = new
  }

  /// The flows between regions, named as `Aggregator.series` does.
  func flows(_ spans: [MadeSpan]) -> [String: Double] {
    let byID = Dictionary(uniqueKeysWithValues: spans.map { ($0.spanID, $0) })
    var series: [String: Double] = [:]
    for child in spans {
      guard let left = kept[child.spanID], kept[child.parentID] != nil, let parent = byID[child.parentID] else {
        continue
      }
      guard parent.kind == .client, child.kind == .server, parent.region != child.region else { continue }
      let weight = left.threshold?.adjustedCount ?? 1
      let pair = "\(parent.region) \(child.region)"
      let edge = "\(parent.service) \(child.service) \(pair)"
      let failed = parent.isError || child.isError ? weight : 0
      series["trace_count \(pair)", default: 0] += weight
      series["region_flow_requests_total \(pair)", default: 0] += weight
      series["region_flow_errors_total \(pair)", default: 0] += failed
      series["region_flow_bytes_total \(pair)", default: 0] += Double(left.bytes)
      for name in ["region_flow_client_seconds", "region_flow_server_seconds", "region_flow_network_seconds"] {
        series["\(name) \(pair)", default: 0] += weight
      }
      series["traces_service_graph_request_total \(edge)", default: 0] += weight
      series["traces_service_graph_request_failed_total \(edge)", default: 0] += failed
    }
    return series
  }

  /// Both ends of a call between regions are kept or dropped together, by the route's probability, where the trace
  /// travels no other route.
  func checkAgreement(_ spans: [MadeSpan], routes: RouteTable, defaultProbability: Double, _ world: World) {
    let byID = Dictionary(uniqueKeysWithValues: spans.map { ($0.spanID, $0) })
    let crossings = spans.filter { $0.kind == .server && ($0.peer ?? $0.region) != $0.region }
    let perTrace = Dictionary(grouping: crossings, by: \.traceID)
    for (trace, servers) in perTrace where servers.count == 1 {
      guard let server = servers.first, let client = byID[server.parentID] else { continue }
      let probability = routes.probability(from: client.region, to: server.region) ?? defaultProbability
      let threshold = Threshold(probability: probability)
      let isWanted = threshold.keeps(randomness: trace.low & (Threshold.limit - 1))
      let ends = (kept[client.spanID], kept[server.spanID])
      let what = "\(client.region) -> \(server.region) at \(probability)"
      world.expect((ends.0 != nil) == (ends.1 != nil), "one end of \(what) was kept, the other was not")
      world.expect((ends.1 != nil) == isWanted, "\(what) was kept: \(ends.1 != nil)")
      world.expect(ends.0?.threshold == ends.1?.threshold, "the ends of \(what) have different thresholds")
      if probability < 1, let end = ends.1 {
        world.expect(end.threshold == threshold, "\(what) with another threshold")
      }
    }
  }
}
