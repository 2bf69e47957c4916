internal import Telemetry

/// An ordered pair of regions.
struct RegionPair: Hashable, Comparable, Sendable {
  var source: String
  var target: String

  static func < (left: RegionPair, right: RegionPair) -> Bool {
    (left.source, left.target) < (right.source, right.target)
  }
}

/// What an aggregator's metrics say of each region pair at one moment.
struct FlowReading: Sendable {
  /// The figures of one pair.
  struct Flow: Sendable {
    var requests = 0.0
    var errors = 0.0
    var traces = 0.0
    var client: Histogram?
    var network: Histogram?
  }

  private(set) var flows: [RegionPair: Flow] = [:]

  init() {}

  /// Picks the flow metrics out of everything an aggregator publishes.
  init(_ families: [MetricFamily]) {
    for family in families {
      for sample in family.samples {
        guard let source = sample.labels.first(where: { $0.name == "source_region" })?.value,
          let target = sample.labels.first(where: { $0.name == "target_region" })?.value
        else { continue }
        note(sample.value, of: family.name, in: &flows[RegionPair(source: source, target: target), default: Flow()])
      }
    }
  }

  private func note(_ value: MetricSample.Value, of name: String, in flow: inout Flow) {
    switch (name, value) {
    case ("region_flow_requests_total", .number(let number)): flow.requests = number
    case ("region_flow_errors_total", .number(let number)): flow.errors = number
    case ("trace_count", .number(let number)): flow.traces = number
    case ("region_flow_client_seconds", .histogram(let histogram)): flow.client = histogram
    case ("region_flow_network_seconds", .histogram(let histogram)): flow.network = histogram
    default: break
    }
  }
}

extension Histogram {
  /// The value below which this share of the weight lies, interpolated within its bucket as Prometheus does;
  /// `nil` when there is nothing, the highest bound when it lies past it.
  func quantile(_ share: Double) -> Double? {
    let total = count
    guard total > 0 else { return nil }
    let rank = share * total
    var below = 0.0
    for (index, bound) in upperBounds.enumerated() {
      if below + counts[index] >= rank {
        let lower = index == 0 ? 0 : upperBounds[index - 1]
        return counts[index] == 0 ? bound : lower + (bound - lower) * (rank - below) / counts[index]
      }
      below += counts[index]
    }
    return upperBounds.last
  }
}
