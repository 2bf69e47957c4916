import Telemetry
import Testing

@testable import Gateway

@Suite struct FlowReadingTests {
  private func histogram(_ observations: [Double]) -> Histogram {
    var histogram = Histogram(upperBounds: [1, 2, 4])
    for value in observations { histogram.observe(value) }
    return histogram
  }

  @Test func quantilesInterpolateWithinABucket() {
    #expect(histogram([]).quantile(0.5) == nil)
    #expect(histogram([0.5, 0.5, 0.5, 0.5]).quantile(0.5) == 0.5)
    #expect(histogram([0.5, 1.5, 3, 3]).quantile(0.75) == 3)
    #expect(histogram([100]).quantile(0.5) == 4)
  }

  @Test func picksTheFlowsOutOfAllMetrics() throws {
    let labels = [(name: "source_region", value: "a"), (name: "target_region", value: "b")]
    let reading = FlowReading([
      MetricFamily("trace_count", .gauge, help: "", samples: [MetricSample(labels, 8)]),
      MetricFamily("region_flow_requests_total", .counter, help: "", samples: [MetricSample(labels, 10)]),
      MetricFamily("region_flow_errors_total", .counter, help: "", samples: [MetricSample(labels, 1)]),
      MetricFamily("other", .gauge, help: "", samples: [MetricSample([], 5)]),
    ])
    let flow = try #require(reading.flows[RegionPair(source: "a", target: "b")])
    #expect(flow.traces == 8)
    let table = FlowTable(
      reading, since: FlowReading(), seconds: 2, truth: [RegionPair(source: "a", target: "b"): 9])
    #expect(table.lines.count == 3)
    #expect(Set(table.lines.map(\.count)).count == 1, "columns are aligned")
    let cells = table.lines[2].split(separator: " ").map(String.init)
    #expect(cells == ["a", "->", "b", "5.0", "10.0", "-", "-", "-", "-", "8", "9"])
  }
}
