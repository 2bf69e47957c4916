public import Telemetry

extension FlowSnapshot {
  /// All metrics of stitching and traffic; a family without series is there too.
  public func families() -> [MetricFamily] { traffic + serviceGraph + stitching + internals }

  private typealias Labels = [(name: String, value: String)]

  private func region(_ number: Int) -> String { number == 0 ? FlowNames.overflow : regions[number - 1].text }
  private func service(_ number: Int) -> String { number == 0 ? FlowNames.overflow : services[number - 1].text }

  private func labels(pair number: Int) -> Labels {
    let key = number == 0 ? RegionPair(source: 0, target: 0) : pairKeys[number - 1]
    return [("source_region", region(Int(key.source))), ("target_region", region(Int(key.target)))]
  }

  private func labels(edge number: Int) -> Labels {
    let nowhere = RegionPair(source: 0, target: 0)
    let key = number == 0 ? ServiceEdge(client: 0, server: 0, regions: nowhere) : edgeKeys[number - 1]
    return [
      ("client", service(Int(key.client))), ("server", service(Int(key.server))),
      ("client_region", region(Int(key.regions.source))), ("server_region", region(Int(key.regions.target))),
    ]
  }

  private static func histogram(_ labels: Labels, _ histogram: Histogram) -> MetricSample? {
    histogram.count > 0 ? MetricSample(labels, histogram: histogram) : nil
  }

  private var traffic: [MetricFamily] {
    let known = pairs.enumerated().filter { $0.element.requests > 0 }
      .map { (labels: labels(pair: $0.offset), flow: $0.element) }
    let durations = serviceFlows.enumerated()
    return [
      MetricFamily(
        "trace_count", .gauge, help: "Traces that crossed between the regions, estimated.",
        samples: known.map { MetricSample($0.labels, $0.flow.traces) }),
      MetricFamily(
        "trace_duration_seconds", .histogram, help: "Last end minus first start of closed traces, by root service.",
        samples: durations.compactMap { Self.histogram([("service", service($0.offset))], $0.element.duration) }),
      MetricFamily(
        "trace_errors_total", .counter, help: "Closed traces in which the service has an error span, estimated.",
        samples: durations.filter { $0.element.errors > 0 }
          .map { MetricSample([("service", service($0.offset))], $0.element.errors) }),
      MetricFamily(
        "region_flow_requests_total", .counter, help: "Parent-child links between the regions, estimated.",
        samples: known.map { MetricSample($0.labels, $0.flow.requests) }),
      MetricFamily(
        "region_flow_errors_total", .counter, help: "Crossings whose parent or child is an error, estimated.",
        samples: known.map { MetricSample($0.labels, $0.flow.errors) }),
      MetricFamily(
        "region_flow_client_seconds", .histogram, help: "Duration of the client span of client-server crossings.",
        samples: known.compactMap { Self.histogram($0.labels, $0.flow.client) }),
      MetricFamily(
        "region_flow_server_seconds", .histogram, help: "Duration of the server span of client-server crossings.",
        samples: known.compactMap { Self.histogram($0.labels, $0.flow.server) }),
      MetricFamily(
        "region_flow_network_seconds", .histogram, help: "Client minus server duration of client-server crossings.",
        samples: known.compactMap { Self.histogram($0.labels, $0.flow.network) }),
      MetricFamily(
        "region_flow_bytes_total", .counter, help: "OTLP bytes of the child spans of crossings, not estimated.",
        samples: known.map { MetricSample($0.labels, $0.flow.bytes) }),
    ]
  }

  private var serviceGraph: [MetricFamily] {
    let known = edges.enumerated().filter { $0.element.requests > 0 }
      .map { (labels: labels(edge: $0.offset), flow: $0.element) }
    return [
      MetricFamily(
        "traces_service_graph_request_total", .counter, help: "Client-server pairs, estimated.",
        samples: known.map { MetricSample($0.labels, $0.flow.requests) }),
      MetricFamily(
        "traces_service_graph_request_failed_total", .counter, help: "Failed client-server pairs, estimated.",
        samples: known.map { MetricSample($0.labels, $0.flow.failed) }),
      MetricFamily(
        "traces_service_graph_request_server_seconds", .histogram, help: "Duration seen from the server.",
        samples: known.compactMap { Self.histogram($0.labels, $0.flow.server) }),
      MetricFamily(
        "traces_service_graph_request_client_seconds", .histogram, help: "Duration seen from the client.",
        samples: known.compactMap { Self.histogram($0.labels, $0.flow.client) }),
    ]
  }

  private var stitching: [MetricFamily] {
    let kinds = [("local", "false"), ("local", "true"), ("cross_region", "false"), ("cross_region", "true")]
    return [
      MetricFamily(
        "stitching_traces_total", .counter, help: "Closed traces.",
        samples: kinds.enumerated().map { lane, kind in
          MetricSample([("scope", kind.0), ("complete", kind.1)], Double(closed[lane]))
        }),
      MetricFamily(
        "stitching_unmatched_entries_total", .counter, help: "Entry spans whose named parent never came.",
        samples: byRegion(unmatchedEntries)),
      MetricFamily(
        "stitching_late_spans_total", .counter, help: "Spans that came after their trace was closed.",
        samples: byRegion(lateSpans)),
      MetricFamily(
        "stitching_early_closed_traces_total", .counter, help: "Traces closed before their time.",
        samples: EarlyClosing.allCases.map { reason in
          MetricSample([("reason", reason.label)], Double(earlyClosings[reason.rawValue]))
        }),
    ]
  }

  private var internals: [MetricFamily] {
    func counter(_ name: String, _ help: String, _ samples: [MetricSample]) -> MetricFamily {
      MetricFamily(name, .counter, help: help, samples: samples)
    }
    func gauge(_ name: String, _ help: String, _ value: Int) -> MetricFamily {
      MetricFamily(name, .gauge, help: help, samples: [MetricSample([], Double(value))])
    }
    func labelled(_ name: String, _ values: [String], _ counts: SIMD4<UInt64>) -> [MetricSample] {
      values.enumerated().map { MetricSample([(name, $0.element)], Double(counts[$0.offset])) }
    }
    return [
      counter(
        "stitching_duplicate_spans_total", "Spans their trace had already.", [MetricSample([], Double(duplicates))]),
      counter(
        "stitching_over_budget_spans_total", "Spans past max_spans_per_trace.", [MetricSample([], Double(overBudget))]),
      counter(
        "stitching_forgotten_total", "What was forgotten before its time to make room.",
        labelled("memory", ["closed_traces", "half_links", "late_spans"], forgotten)),
      counter(
        "stitching_label_overflow_total", "Look-ups of names past a cap.",
        labelled("label", ["region", "service", "region_pair", "service_edge"], overflows)),
      gauge("stitching_live_traces", "Traces that are being collected.", liveTraces),
      gauge("stitching_closed_traces", "Closed traces that are remembered.", closedTraces),
      gauge("stitching_half_links", "Ends of links that outlive their trace and wait for the other end.", halfLinks),
      gauge("stitching_memory_bytes", "Bytes of live traces and of what is remembered of closed ones.", memoryBytes),
    ]
  }

  private func byRegion(_ counts: [UInt64]) -> [MetricSample] {
    counts.enumerated().filter { $0.element > 0 }
      .map { MetricSample([("region", region($0.offset))], Double($0.element)) }
  }
}
