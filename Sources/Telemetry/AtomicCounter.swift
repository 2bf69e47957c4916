internal import Synchronization

/// A counter that many threads add to.
public final class AtomicCounter: Sendable {
  private let cell: Atomic<Int>

  /// A counter that starts at `value`.
  public init(_ value: Int = 0) { cell = Atomic(value) }

  /// Adds to it.
  public func add(_ amount: Int = 1) { cell.wrappingAdd(amount, ordering: .relaxed) }

  /// What it counted so far.
  public var value: Int { cell.load(ordering: .relaxed) }

  /// It as a metric with one series.
  public func family(_ name: String, help: String, labels: [(name: String, value: String)] = []) -> MetricFamily {
    MetricFamily(name, .counter, help: help, samples: [MetricSample(labels, Double(value))])
  }
}
