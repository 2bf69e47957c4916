internal import Foundation
internal import Load

/// How the rate of each region goes up and down around its mean: log-normal, the logarithm an Ornstein-Uhlenbeck
/// process, in steps within which the rate is constant. Stratified: over the whole time each region's rates are
/// distributed exactly as they should be, and only their order is a matter of luck. What waits depends on the rarest of
/// them, and else a few seconds would make the difference between seeds.
struct Burst: Sendable {
  /// Seconds of a step.
  static let step = 0.05

  private let shares: [Double]
  /// For each region, by step: its rate as a multiple of its mean.
  private let factors: [[Double]]

  /// The course of a deployment's regions over so many seconds.
  init(_ deployment: Deployment, seconds: Double) {
    let variance = log(1 + deployment.burstiness * deployment.burstiness)
    let memory = exp(-Self.step / deployment.burstSeconds)
    let count = Self.steps(seconds)
    let strata = (0..<count).map { number in
      exp(variance.squareRoot() * Self.normalQuantile((Double(number) + 0.5) / Double(count)) - variance / 2)
    }
    shares = deployment.shares
    factors = shares.indices.map { region in
      var random = SeededNumbers(seed: deployment.seed &+ UInt64(region) &* 0x1000)
      var state = random.normal()
      let course = (0..<count).map { _ in
        state = memory * state + (1 - memory * memory).squareRoot() * random.normal()
        return state
      }
      var factors = course
      for (stratum, step) in course.indices.sorted(by: { course[$0] < course[$1] }).enumerated() {
        factors[step] = strata[stratum]
      }
      return factors
    }
  }

  /// The value below which a normal variable lies with this probability.
  private static func normalQuantile(_ probability: Double) -> Double {
    var (low, high) = (-9.0, 9.0)
    for _ in 0..<50 {
      let middle = (low + high) / 2
      if erfc(-middle / 2.0.squareRoot()) / 2 < probability { low = middle } else { high = middle }
    }
    return high
  }

  /// Steps of so many seconds.
  static func steps(_ seconds: Double) -> Int { Int((seconds / step).rounded(.up)) }

  /// A region's rate in a step, as a multiple of its mean.
  func factor(_ region: Int, _ step: Int) -> Double { factors[region][step] }

  /// The rate of all regions together in a step, as a multiple of its mean.
  func factor(_ step: Int) -> Double { zip(shares, factors).reduce(0) { $0 + $1.0 * $1.1[step] } }
}
