/// One metric with all its series at the time of a scrape.
public struct MetricFamily: Sendable {
  /// The Prometheus type.
  public enum Kind: String, Sendable {
    case counter
    case gauge
    case histogram
  }

  /// The full name as the text format 0.0.4 shows it (a counter's with `_total`).
  public var name: String
  public var help: String
  public var kind: Kind
  public var samples: [MetricSample]

  /// Makes a family.
  public init(_ name: String, _ kind: Kind, help: String, samples: [MetricSample]) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }
}

/// One series of a metric.
public struct MetricSample: Sendable {
  /// A number, or a histogram.
  public enum Value: Sendable {
    case number(Double)
    case histogram(Histogram)
  }

  public var labels: [(name: String, value: String)]
  public var value: Value

  /// A series with a number.
  public init(_ labels: [(name: String, value: String)] = [], _ number: Double) {
    self.labels = labels
    value = .number(number)
  }

  /// A series with a histogram.
  public init(_ labels: [(name: String, value: String)] = [], histogram: Histogram) {
    self.labels = labels
    value = .histogram(histogram)
  }
}

/// A histogram of weighted observations: one observation may stand for many, so counts are not whole.
public struct Histogram: Sendable, Equatable, Codable {
  /// Upper bounds, rising, without infinity.
  public let upperBounds: [Double]
  /// Weight in each bucket (not cumulative); one more than there are bounds.
  public private(set) var counts: [Double]
  public private(set) var sum: Double = 0

  /// An empty histogram with these rising bounds.
  public init(upperBounds: [Double]) {
    self.upperBounds = upperBounds
    counts = Array(repeating: 0, count: upperBounds.count + 1)
  }

  /// The weight of all observations.
  public var count: Double { counts.reduce(0, +) }

  /// Adds an observation that stands for `weight` of its kind.
  public mutating func observe(_ value: Double, weight: Double = 1) {
    var bucket = 0
    while bucket < upperBounds.count, value > upperBounds[bucket] { bucket += 1 }
    counts[bucket] += weight
    sum += value * weight
  }

  /// Adds another histogram with the same bounds.
  public mutating func merge(_ other: Histogram) {
    precondition(upperBounds == other.upperBounds, "histograms of one metric share their bounds")
    for index in counts.indices { counts[index] += other.counts[index] }
    sum += other.sum
  }
}
