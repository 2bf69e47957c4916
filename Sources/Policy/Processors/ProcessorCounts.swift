public import Telemetry

/// What one loop's processors did.
public struct ProcessorCounts: Sendable, Equatable {
  /// Attributes that redaction removed, and those of which it masked something.
  public var removed = 0
  public var masked = 0
  /// Values that were cut to the longest length, and those that were not added, for the request had grown enough.
  public var shortened = 0
  public var refused = 0

  /// Zero.
  public init() {}

  public static func + (left: ProcessorCounts, right: ProcessorCounts) -> ProcessorCounts {
    var sum = left
    sum.removed &+= right.removed
    sum.masked &+= right.masked
    sum.shortened &+= right.shortened
    sum.refused &+= right.refused
    return sum
  }

  /// The families of all loops' counts together.
  public static func families(_ counts: [ProcessorCounts]) -> [MetricFamily] {
    func sum(_ path: KeyPath<ProcessorCounts, Int>) -> Double { Double(counts.reduce(0) { $0 &+ $1[keyPath: path] }) }
    return [
      MetricFamily(
        "longspan_processor_redacted_attributes_total", .counter,
        help: "Attributes that redaction removed, or masked something of.",
        samples: [
          MetricSample([("action", "removed")], sum(\.removed)), MetricSample([("action", "masked")], sum(\.masked)),
        ]),
      MetricFamily(
        "longspan_processor_limited_values_total", .counter,
        help: "Values made by processors that were cut, or left out because their request had grown enough.",
        samples: [
          MetricSample([("reason", "value_length")], sum(\.shortened)),
          MetricSample([("reason", "request_growth")], sum(\.refused)),
        ]),
    ]
  }
}
