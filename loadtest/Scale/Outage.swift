/// The aggregator is away for a while, and relays keep what comes: by step, as a flow.
struct Outage {
  /// What came of it.
  struct Report: Sendable {
    /// The most spans that each region's relays held.
    var peaks: [Double]
    /// Seconds from the aggregator's return until nothing waits; nil where that takes more than an hour.
    var recovery: Double?
  }

  private static let patience = 3600.0
  /// Seconds after which bursts come again as they came.
  private static let cycle = 600.0

  /// The regions' relays, each region's with so many lanes, and an aggregator that takes so many spans a second,
  /// through an outage. The regions share the aggregator in proportion to what they offer, and no lane sends more than
  /// its core has left besides receiving.
  static func run(_ deployment: Deployment, _ costs: Costs, lanes: [Int], capacity: Double) -> Report {
    let burst = Burst(deployment, seconds: cycle)
    let rates = deployment.shares.map { $0 * deployment.spansPerSecond }
    var queues = rates.map { _ in 0.0 }
    var peaks = queues
    let away = Burst.steps(deployment.outage)
    for step in 0..<Burst.steps(deployment.outage + patience) {
      let now = step % Burst.steps(cycle)
      let coming = rates.indices.map { rates[$0] * burst.factor($0, now) * Burst.step }
      for region in queues.indices { queues[region] += coming[region] * deployment.kept }
      if step >= away {
        let offered = queues.indices.map { region in
          let left = Double(lanes[region]) * Burst.step - coming[region] * costs.receiving
          return min(queues[region], max(0, left) / costs.sending)
        }
        let share = min(1, capacity * Burst.step / max(offered.reduce(0, +), 1))
        for region in queues.indices { queues[region] -= offered[region] * share }
      }
      for region in queues.indices { peaks[region] = max(peaks[region], queues[region]) }
      if step >= away, queues.allSatisfy({ $0 < 1 }) {
        return Report(peaks: peaks, recovery: Double(step - away) * Burst.step)
      }
    }
    return Report(peaks: peaks, recovery: nil)
  }
}
