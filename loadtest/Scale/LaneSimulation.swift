internal import Load

/// The busiest lane of a region's relays: the one whose connections bring most.
struct LaneSimulation {
  private let deployment: Deployment
  private let region: Int
  /// Seconds of a core for a span.
  private let cost: Double
  /// The rates of the region's connections as shares of its load, and where each is among the lanes, from 0 to 1: so
  /// connections stay about where they were when there is another lane.
  private let connections: [(share: Double, place: Double)]
  private let burst: Burst

  /// A region's connections and its bursts.
  init(_ deployment: Deployment, cost: Double, region: Int) {
    self.deployment = deployment
    self.region = region
    self.cost = cost
    var random = SeededNumbers(seed: deployment.seed &+ 0x1a4e &+ UInt64(region))
    let rate = deployment.spansPerSecond * deployment.shares[region]
    let count = max(1, Int(rate / deployment.spansPerConnection))
    let rates = (0..<count).map { _ in random.exponential() }
    let sum = rates.reduce(0, +)
    connections = rates.map { ($0 / sum, random.unit()) }
    burst = Burst(deployment, seconds: deployment.seconds)
  }

  /// The share of the region's load that the busiest of so many lanes has.
  func busiest(of lanes: Int) -> Double {
    var shares = [Double](repeating: 0, count: lanes)
    for connection in connections { shares[Int(connection.place * Double(lanes))] += connection.share }
    return shares.max() ?? 1
  }

  /// What waits at the busiest of so many lanes. Requests are a Poisson process while the rate is the same, and their
  /// sizes exponentially distributed.
  func run(lanes: Int) -> LaneReport {
    var random = SeededNumbers(seed: deployment.seed &+ 0x9e1a)
    let spans = deployment.spansPerSecond * deployment.shares[region] * busiest(of: lanes)
    var queue = WorkQueue()
    for step in 0..<Burst.steps(deployment.seconds) {
      var time = Double(step) * Burst.step
      let next = time + Burst.step
      while true {
        time += random.exponential() / (spans / deployment.spansPerRequest * burst.factor(region, step))
        guard time < next else { break }
        queue.arrive(at: time, service: random.exponential() * deployment.spansPerRequest * cost, counts: true)
      }
    }
    return LaneReport(utilisation: spans * cost, p99: queue.p99, meanWait: queue.meanWait)
  }
}

/// How it went at the busiest lane.
struct LaneReport: Sendable {
  /// Share of the time in which it is busy: its arrival rate times its service time.
  var utilisation: Double
  /// Seconds that 99 % of the requests wait at most.
  var p99: Double
  /// Seconds that a request waits on average.
  var meanWait: Double
}
