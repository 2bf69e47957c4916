internal import Synchronization

/// A counter with labels, for what happens once a request or more seldom: it takes a lock and hashes strings.
/// Past the cap on its series, all that is new goes to one series whose labels are `__overflow__`.
public final class LabelledCounter: Sendable {
  /// The metric's name.
  public let name: String
  private let help: String
  private let labelNames: [String]
  private let cap: Int
  private let counts: Mutex<[[String]: Int]>

  /// A counter that holds `cap` series, of which those of `present` are there from the start, at 0.
  public init(_ name: String, help: String, labelNames: [String], cap: Int, present: [[String]] = []) {
    precondition(present.count <= cap, "what is there from the start fits")
    precondition(present.allSatisfy { $0.count == labelNames.count }, "each label has a value")
    self.name = name
    self.help = help
    self.labelNames = labelNames
    self.cap = cap
    counts = Mutex(Dictionary(present.map { ($0, 0) }) { first, _ in first })
  }

  /// Adds to the series with these label values, given in the order of the names.
  public func add(_ amount: Int = 1, _ values: [String]) {
    precondition(values.count == labelNames.count, "each label has a value")
    let fits = values.allSatisfy { $0.utf8.count <= CappedLabels.valueBytesMax }
    counts.withLock { counts in
      var key = values
      if counts[key] == nil, counts.count >= cap || !fits {
        key = Array(repeating: CappedLabels.overflow, count: values.count)
      }
      counts[key, default: 0] &+= amount
    }
  }

  /// What the series with these label values counted so far.
  public func value(_ values: [String]) -> Int { counts.withLock { $0[values] ?? 0 } }

  /// All series now.
  public func family() -> MetricFamily {
    let now = counts.withLock { $0 }
    let samples = now.map { values, count in
      MetricSample(zip(labelNames, values).map { (name: $0, value: $1) }, Double(count))
    }
    return MetricFamily(name, .counter, help: help, samples: samples)
  }
}
