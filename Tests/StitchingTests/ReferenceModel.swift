import Telemetry
import TraceWire

/// The contract's traffic metrics by brute force: every span that ever came is kept, and at the end each trace is gone
/// through as a whole. Slow, and written to be obviously right.
struct ReferenceModel {
  struct Arrival {
    var span: TestSpan
    var order: Int
    var time: UInt64
    var isLate: Bool
  }

  struct Trace {
    var arrivals: [Arrival] = []
    var first: UInt64
    var last: UInt64
    var closed: UInt64?
  }

  var idle: UInt64
  var age: UInt64
  var ttl: UInt64
  var traces: [UInt64: Trace] = [:]
  var duplicates = 0
  var order = 0

  mutating func advance(to now: UInt64) {
    for (id, trace) in traces where trace.closed == nil {
      if trace.last + idle <= now || trace.first + age <= now { traces[id]?.closed = now }
    }
  }

  mutating func ingest(_ spans: [TestSpan], at now: UInt64) {
    for span in spans {
      var trace = traces[span.trace] ?? Trace(first: now, last: now)
      if trace.arrivals.contains(where: { $0.span.id == span.id }) {
        duplicates += 1
        continue
      }
      order += 1
      trace.arrivals.append(Arrival(span: span, order: order, time: now, isLate: trace.closed != nil))
      if trace.closed == nil { trace.last = now }
      traces[span.trace] = trace
    }
  }

  /// The links of a trace that were counted, in the order of their counting.
  func links(_ trace: Trace) -> [(parent: TestSpan, child: TestSpan)] {
    var found: [(order: Int, parent: TestSpan, child: TestSpan)] = []
    for child in trace.arrivals where child.span.parent != 0 && child.span.parent != child.span.id {
      for parent in trace.arrivals where parent.span.id == child.span.parent {
        let (earlier, later) = parent.order < child.order ? (parent, child) : (child, parent)
        if later.isLate {
          // What waits past the closing: client and producer spans for children, any entry for its parent.
          let waits = earlier.order == child.order || [.client, .producer].contains(earlier.span.kind)
          let since = earlier.isLate ? earlier.time : (trace.closed ?? 0)
          guard waits, later.time < since + ttl else { continue }
        }
        found.append((later.order, parent.span, child.span))
      }
    }
    return found.sorted { $0.order < $1.order }.map { ($0.parent, $0.child) }
  }

  func series(buckets: [Double]) -> [String: Double] {
    var all: [String: Double] = ["stitching_duplicate_spans_total{}": Double(duplicates)]
    func add(_ name: String, _ labels: String, _ value: Double) { all["\(name){\(labels)}", default: 0] += value }
    func observe(_ name: String, _ labels: String, _ nanoseconds: UInt64, _ weight: Double) {
      let value = Double(nanoseconds) / 1e9
      let bucket = buckets.firstIndex { value <= $0 } ?? buckets.count
      add("\(name)_\(bucket)", labels, weight)
      add("\(name)_sum", labels, value * weight)
    }
    for trace in traces.values {
      var crossed: Set<String> = []
      for (parent, child) in links(trace) {
        let (source, target) = (parent.region ?? "unknown", child.region ?? "unknown")
        let weight = child.weight
        let (client, server) = (duration(parent), duration(child))
        let isCall = parent.kind == .client && child.kind == .server
        let failed = parent.isError || child.isError ? weight : 0
        if source != target {
          let pair = "source_region=\(source),target_region=\(target)"
          if crossed.insert(pair).inserted { add("trace_count", pair, weight) }
          add("region_flow_requests_total", pair, weight)
          add("region_flow_errors_total", pair, failed)
          add("region_flow_bytes_total", pair, Double(child.encoded.count))
          if isCall {
            observe("region_flow_client_seconds", pair, client, weight)
            observe("region_flow_server_seconds", pair, server, weight)
            observe("region_flow_network_seconds", pair, client > server ? client - server : 0, weight)
          }
        }
        guard isCall else { continue }
        let services = "client=\(parent.service ?? "unknown_service"),server=\(child.service ?? "unknown_service")"
        let edge = "\(services),client_region=\(source),server_region=\(target)"
        add("traces_service_graph_request_total", edge, weight)
        add("traces_service_graph_request_failed_total", edge, failed)
        observe("traces_service_graph_request_client_seconds", edge, client, weight)
        observe("traces_service_graph_request_server_seconds", edge, server, weight)
      }
      for late in trace.arrivals where late.isLate {
        add("stitching_late_spans_total", "region=\(late.span.region ?? "unknown")", 1)
      }
      if trace.closed != nil { close(trace.arrivals.filter { !$0.isLate }.map(\.span), add, observe) }
    }
    return all
  }

  private func duration(_ span: TestSpan) -> UInt64 { span.end > span.start ? span.end - span.start : 0 }

  private func close(
    _ spans: [TestSpan], _ add: (String, String, Double) -> Void, _ observe: (String, String, UInt64, Double) -> Void
  ) {
    let ids = Set(spans.map(\.id))
    let roots = spans.filter { $0.parent == 0 }
    let unmatched = spans.filter { $0.parent != 0 && !ids.contains($0.parent) }
    let candidates = roots.isEmpty ? (unmatched.isEmpty ? spans : unmatched) : roots
    guard let head = candidates.min(by: { ($0.start, $0.id) < ($1.start, $1.id) }) else { return }
    let isComplete = roots.count == 1 && unmatched.isEmpty
    let scope = Set(spans.map { $0.region ?? "unknown" }).count > 1 ? "cross_region" : "local"
    add("stitching_traces_total", "scope=\(scope),complete=\(isComplete)", 1)
    for entry in unmatched { add("stitching_unmatched_entries_total", "region=\(entry.region ?? "unknown")", 1) }
    // A span without a start says nothing of the trace's.
    let start = spans.map(\.start).filter { $0 > 0 }.min() ?? .max
    let end = spans.map(\.end).max() ?? 0
    let service = head.service ?? "unknown_service"
    observe("trace_duration_seconds", "service=\(service)", end > start ? end - start : 0, head.weight)
    for failed in Set(spans.filter(\.isError).map { $0.service ?? "unknown_service" }) {
      add("trace_errors_total", "service=\(failed)", head.weight)
    }
  }
}
