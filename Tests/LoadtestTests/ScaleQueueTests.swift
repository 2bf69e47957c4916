import Foundation
import Load
import Stitching
import Testing
import TraceWire

@testable import Scale

/// What is simulated against what queueing theory says where it has a formula.
@Suite struct ScaleQueueTests {
  /// One region without bursts, traces whose spans come together and at once.
  static var plain: Deployment {
    var plain = Deployment()
    plain.regions = 1
    plain.burstiness = 0
    plain.crossing = 0
    plain.exportDelay = 0
    plain.roundTrip = 0
    plain.traceMedian = 1e-6
    plain.traceSigma = 0
    plain.fastestTrace = 1e9
    plain.spansPerProcess = 1e9
    plain.largestTrace = 1000
    return plain
  }

  static func isNear(_ found: Double, _ expected: Double, within share: Double) -> Bool {
    abs(found - expected) <= expected * share
  }

  /// M/M/1: requests come at random and have exponentially distributed service times.
  @Test(arguments: [0.3, 0.7], [UInt64(1), 2]) func lanesWaitAsTheoryHasIt(load: Double, seed: UInt64) {
    var deployment = Self.plain
    deployment.seed = seed
    deployment.seconds = 400
    deployment.spansPerSecond = load * 100_000
    let service = 1e-3
    let report = LaneSimulation(deployment, cost: service / deployment.spansPerRequest, region: 0).run(lanes: 1)
    #expect(abs(report.utilisation - load) < 1e-9)
    let mean = service * load / (1 - load)
    #expect(Self.isNear(report.meanWait, mean, within: 0.06), "\(report.meanWait) for \(mean), seed \(seed)")
    let p99 = service / (1 - load) * log(100 * load)
    #expect(Self.isNear(report.p99, p99, within: 0.06), "\(report.p99) for \(p99), seed \(seed)")
  }

  /// M/G/1: traces come at random, and their sizes are bounded Pareto. Pollaczek and Khinchine's mean wait.
  @Test(arguments: [0.4, 0.7]) func shardsWaitAsTheoryHasIt(load: Double) {
    var deployment = Self.plain
    let cost = 1e-4
    deployment.spansPerSecond = load / cost * 4
    deployment.seconds = 150
    var simulation = ShardSimulation(deployment, cost: cost, shards: 4)
    let report = simulation.run()
    #expect(Self.isNear(report.utilisation, load, within: 0.03), "\(report)")
    let rate = deployment.spansPerSecond / deployment.spansPerTrace / 4
    let mean = rate * TraceMix(deployment).moment(2) * cost * cost / 2 / (1 - load)
    #expect(Self.isNear(report.meanWait, mean, within: 0.1), "\(report.meanWait) for \(mean)")
  }

  /// Watching a few of many shards is watching them: load and waits are those of as many at as much load each.
  @Test func watchedShardsStandForAll() {
    var few = Self.plain
    few.spansPerSecond = 0.6 / 1e-4 * 4
    few.seconds = 40
    var many = few
    many.spansPerSecond *= 250
    var (small, large) = (
      ShardSimulation(few, cost: 1e-4, shards: 4), ShardSimulation(many, cost: 1e-4, shards: 1000)
    )
    let (first, second) = (small.run(), large.run())
    #expect(Self.isNear(second.utilisation, first.utilisation, within: 1e-6))
    #expect(Self.isNear(second.p99, first.p99, within: 1e-6))
  }

  /// Little's law: as many are live as begin a second times how long one is.
  @Test(arguments: [UInt64(1), 2]) func liveTracesAreThoseOfLittlesLaw(seed: UInt64) {
    var deployment = Deployment()
    deployment.seed = seed
    deployment.spansPerSecond = 20_000
    deployment.burstiness = 0
    var simulation = ShardSimulation(deployment, cost: 1e-6, shards: 2)
    let report = simulation.run()
    let rate = deployment.spansPerSecond / deployment.spansPerTrace / 2
    #expect(report.residence > 10 && report.residence < 18)
    #expect(Self.isNear(report.live, rate * report.residence, within: 0.03), "\(report)")
    #expect(report.livePeak > report.live && report.heldPeak > report.held)
    #expect(report.late > 0 && report.late < 0.05)

    var atOnce = Self.plain
    atOnce.spansPerSecond = 20_000
    simulation = ShardSimulation(atOnce, cost: 1e-6, shards: 2)
    #expect(Self.isNear(simulation.run().live, rate * atOnce.idleTimeout, within: 0.03))
  }

  /// Balls into bins: the spread of loads among shards is that of traces' second moment, whatever the secret.
  @Test func imbalanceIsThatOfTracesThrownAtRandom() {
    let (shards, traces, runs) = (64, 20_000, 20)
    let mix = TraceMix(Self.plain)
    var random = SeededNumbers(seed: 7)
    var (variance, heaviest) = (0.0, 0.0)
    let mean = Double(traces) * mix.moment(1) / Double(shards)
    for _ in 0..<runs {
      let map = ShardMap(shardCount: shards, hash: KeyedHash(using: &random))
      var loads = [Double](repeating: 0, count: shards)
      // IDs that count up are as good as any.
      for number in 0..<UInt64(traces) {
        loads[map.shard(of: TraceID(high: 1, low: number))] += Double(mix.size(&random))
      }
      let own = loads.reduce(0, +) / Double(shards)
      variance += loads.reduce(0) { $0 + ($1 - own) * ($1 - own) } / Double(shards - 1) / Double(runs)
      heaviest += (loads.max() ?? 0) / mean / Double(runs)
    }
    let expected = Double(traces) * mix.moment(2) / Double(shards)
    #expect(Self.isNear(variance, expected, within: 0.12), "\(variance) for \(expected)")
    // The largest of 64 normal numbers is 2.35 deviations above their mean; a heavy tail makes it a little more.
    let deviations = (heaviest - 1) / (expected.squareRoot() / mean)
    #expect((2.1...3.2).contains(deviations), "\(deviations)")
  }

  /// The same for connections on lanes, whose rates are exponentially distributed.
  @Test func theBusiestLaneIsThatOfConnectionsThrownAtRandom() {
    var deployment = Self.plain
    deployment.spansPerSecond = 20e6
    deployment.seconds = 1
    let (lanes, runs) = (64, 40)
    let sum = (0..<runs).reduce(0.0) { sum, run in
      deployment.seed = UInt64(run)
      return sum + LaneSimulation(deployment, cost: 1e-6, region: 0).busiest(of: lanes) * Double(lanes)
    }
    let deviation = (2 * Double(lanes) / 20_000).squareRoot()
    #expect(Self.isNear((sum / Double(runs) - 1) / deviation, 2.35, within: 0.15))
  }

  @Test func burstsAreAsAskedFor() {
    var deployment = Deployment()
    deployment.regions = 1
    deployment.burstiness = 0.5
    deployment.burstSeconds = 1
    let burst = Burst(deployment, seconds: 4000)
    let factors = (0..<Burst.steps(4000)).map { burst.factor($0) }
    let mean = factors.reduce(0, +) / Double(factors.count)
    #expect(abs(mean - 1) < 0.001)
    let deviations = factors.map { $0 - 1 }
    let variance = deviations.reduce(0) { $0 + $1 * $1 } / Double(factors.count)
    #expect(Self.isNear(variance.squareRoot(), 0.5, within: 0.01))
    let lag = Burst.steps(1)
    let together = zip(deviations, deviations.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 }
    // That of the logarithm is 1/e after so long; the rate's own is a little less.
    #expect((0.28...0.42).contains(together / Double(factors.count - lag) / variance))
  }
}
