internal import Foundation
internal import Load

/// The traces of a deployment: how many spans they have, and when these come to the aggregator.
struct TraceMix: Sendable {
  private let deployment: Deployment
  private let shares: [Double]
  /// The lower end of the sizes' distribution, which gives the mean that is asked for.
  let smallest: Double

  /// The traces of a deployment.
  init(_ deployment: Deployment) {
    self.deployment = deployment
    shares = deployment.shares
    var (low, high) = (0.0, deployment.spansPerTrace)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      let mean = Self.moment(1, smallest: middle, largest: deployment.largestTrace, tailIndex: deployment.tailIndex)
      if mean < deployment.spansPerTrace { low = middle } else { high = middle }
    }
    smallest = high
  }

  /// The n-th moment of a bounded Pareto distribution; n is not its tail index.
  static func moment(_ n: Double, smallest: Double, largest: Double, tailIndex: Double) -> Double {
    let scale = tailIndex * pow(smallest, tailIndex) / (1 - pow(smallest / largest, tailIndex))
    return scale * (pow(smallest, n - tailIndex) - pow(largest, n - tailIndex)) / (tailIndex - n)
  }

  /// The n-th moment of the spans of a trace.
  func moment(_ n: Double) -> Double {
    Self.moment(n, smallest: smallest, largest: deployment.largestTrace, tailIndex: deployment.tailIndex)
  }

  /// The spans of a trace, rounded at random so that the mean stays.
  func size(_ random: inout SeededNumbers) -> Int {
    let reach = 1 - pow(smallest / deployment.largestTrace, deployment.tailIndex)
    let size = smallest / pow(1 - random.unit() * reach, 1 / deployment.tailIndex)
    return max(1, Int(size + random.unit()))
  }

  /// When the parts of a trace of this size come that begins at a time, in order: each process sends its own.
  func arrivals(of size: Int, from begin: Double, _ random: inout SeededNumbers, into times: inout [Double]) {
    let crosses = size > 1 && random.unit() < deployment.crossing
    let parts = max(Int((Double(size) / deployment.spansPerProcess).rounded(.up)), crosses ? 2 : 1)
    var duration = deployment.traceMedian * exp(deployment.traceSigma * random.normal())
    duration = min(max(duration, Double(size) / deployment.fastestTrace), 300)
    let home = random.index(shares)
    times.removeAll(keepingCapacity: true)
    for _ in 0..<parts {
      let region = crosses ? random.index(shares) : home
      let travel = region == 0 ? 0 : deployment.roundTrip / 2
      times.append(begin + random.unit() * duration + random.unit() * deployment.exportDelay + travel)
    }
    times.sort()
  }
}
