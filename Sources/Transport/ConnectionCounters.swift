internal import Synchronization
public import Telemetry

/// What the listeners of one process count, and the cap on connections they share.
public final class ConnectionCounters: Sendable {
  private let openCount = Atomic<Int>(0)
  private let accepted = Atomic<Int>(0)
  private let refused = Atomic<Int>(0)
  private let closedFor = LabelledCounter(
    "longspan_connections_closed_total", help: "Connections closed for what the peer did.", labelNames: ["reason"],
    cap: 64)
  private let connectionsMax: Int

  /// Counters with a cap on connections that are open at once.
  public init(connectionsMax: Int) { self.connectionsMax = connectionsMax }

  /// Connections open now.
  public var open: Int { openCount.load(ordering: .relaxed) }

  /// Books a new connection. False: the cap is reached and the connection is to be closed at once.
  func admit() -> Bool {
    let before = openCount.wrappingAdd(1, ordering: .relaxed).oldValue
    guard before < connectionsMax else {
      openCount.wrappingSubtract(1, ordering: .relaxed)
      refused.wrappingAdd(1, ordering: .relaxed)
      return false
    }
    accepted.wrappingAdd(1, ordering: .relaxed)
    return true
  }

  func ended() { openCount.wrappingSubtract(1, ordering: .relaxed) }

  func closed(for reason: String) { closedFor.add(1, [reason]) }

  /// The counters as metrics.
  public func families() -> [MetricFamily] {
    [
      MetricFamily(
        "longspan_connections", .gauge, help: "Connections open now.", samples: [MetricSample([], Double(open))]),
      MetricFamily(
        "longspan_connections_accepted_total", .counter, help: "Connections accepted.",
        samples: [MetricSample([], Double(accepted.load(ordering: .relaxed)))]),
      MetricFamily(
        "longspan_connections_refused_total", .counter, help: "Connections refused because of limits.max_connections.",
        samples: [MetricSample([], Double(refused.load(ordering: .relaxed)))]),
      closedFor.family(),
    ]
  }
}
