internal import Stitching

/// The smallest deployment that carries a load, also when one relay of each region and one of the aggregator's
/// machines have failed.
public struct Sizing: Sendable {
  /// No number of relays or shards is enough, however many there are.
  public struct Unreachable: Error, CustomStringConvertible {
    /// What there cannot be enough of.
    public let what: String

    public var description: String { "no number of \(what) is enough" }
  }

  private static let gibibyte = 1_073_741_824.0

  private let deployment: Deployment
  private let costs: Costs

  /// Sizes a deployment whose `complaint` is nil.
  public init(_ deployment: Deployment, _ costs: Costs) {
    self.deployment = deployment
    self.costs = costs
  }

  /// The smallest numbers, and how it goes with them.
  public func run() throws(Unreachable) -> ScaleRow {
    var relays: [ScaleRow.Relays] = []
    for region in 0..<deployment.regions { relays.append(try self.relays(of: region)) }
    var aggregator = try shards()
    let outage = Outage.run(
      deployment, costs, lanes: relays.map { $0.machines * $0.coresEach }, capacity: aggregator.spansPerSecondMax)
    for (region, peak) in outage.peaks.enumerated() {
      relays[region].queueGiBEach = peak * costs.bytes.linkSpan / Double(relays[region].machines) / Self.gibibyte
    }
    let linkSpan = costs.bytes.linkSpan * 8 / 1e9
    aggregator.linkGbit = deployment.stitchedPerSecond * linkSpan
    aggregator.recoveryGbit = aggregator.spansPerSecondMax * linkSpan
    return ScaleRow(deployment: deployment, relays: relays, aggregator: aggregator, recovery: outage.recovery)
  }

  private func relays(of region: Int) throws(Unreachable) -> ScaleRow.Relays {
    let cost = costs.receiving + deployment.kept * costs.sending
    let rate = deployment.spansPerSecond * deployment.shares[region]
    let simulation = LaneSimulation(deployment, cost: cost, region: region)
    var found = LaneReport(utilisation: 0, p99: 0, meanWait: 0)
    let lanes = Self.smallest(from: least(rate * cost)) { lanes in
      guard simulation.busiest(of: lanes) * rate * cost <= deployment.allowedLoad else { return false }
      let report = simulation.run(lanes: lanes)
      if report.p99 <= deployment.waitMax { found = report }
      return report.p99 <= deployment.waitMax
    }
    guard let lanes else { throw Unreachable(what: "relays") }
    let machines = (lanes + deployment.cores - 1) / deployment.cores
    let kept = rate * deployment.kept * costs.bytes.linkSpan * deployment.roundTrip / Double(machines)
    return ScaleRow.Relays(
      machines: machines + 1, coresEach: (lanes + machines - 1) / machines, busiest: found.utilisation,
      p99: found.p99, memoryMiBEach: costs.relay.residentMiB + kept / 1_048_576)
  }

  private func shards() throws(Unreachable) -> ScaleRow.Aggregator {
    let cost = costs.stitching(exported: deployment.exports)
    var found: ScaleRow.Aggregator?
    let shards = Self.smallest(from: least(deployment.stitchedPerSecond * cost)) { shards in
      var simulation = ShardSimulation(deployment, cost: cost, shards: shards)
      let report = simulation.run()
      let aggregator = aggregator(of: shards, report)
      guard report.p99 <= deployment.waitMax, aggregator.memoryGiBEach <= deployment.memoryGiB else { return false }
      found = aggregator
      return true
    }
    guard shards != nil, let found else { throw Unreachable(what: "shards") }
    return found
  }

  /// Machines for so many shards, and one that may fail; what is occupied is what it is when one has.
  private func aggregator(of shards: Int, _ report: ShardReport) -> ScaleRow.Aggregator {
    let machines = (shards + deployment.cores - 1) / deployment.cores
    let each = (shards + machines - 1) / machines
    let memory = remembered(deployment.stitchedPerSecond / Double(machines))
    let (traceBytes, spanBytes) = (costs.bytes.liveTrace, costs.spanBytes(exported: deployment.exports))
    let peak = (report.livePeak * traceBytes + report.heldPeak * spanBytes) * Double(each)
    let mean = (report.live * traceBytes + report.held * spanBytes) * Double(each)
    // While it catches up a process takes what its cores can do, unless it then has no room for the traces of so much:
    // at its memory limit it refuses, and relays keep the rest for longer.
    let steady = deployment.stitchedPerSecond * Double(each) / Double(shards)
    let room = max(0, deployment.memoryGiB * Self.gibibyte - memory.bytes)
    let most = min(Double(each) / costs.stitching(exported: deployment.exports), steady * room / mean)
    return ScaleRow.Aggregator(
      machines: machines + 1, shardsEach: each, busy: report.utilisation, p99: report.p99,
      memoryGiBEach: (memory.bytes + peak) / Self.gibibyte,
      recoveryGiBEach: (memory.bytes + mean * most / steady) / Self.gibibyte,
      liveTracesEach: report.livePeak * Double(each), closedSeconds: memory.closedSeconds,
      linkSeconds: memory.linkSeconds, late: report.late, spansPerSecondMax: Double(machines + 1) * most)
  }

  /// What a process with so many spans a second occupies besides live traces, and for how long it remembers closed
  /// ones and ends that wait, with the default caps.
  private func remembered(_ spans: Double) -> (bytes: Double, closedSeconds: Double, linkSeconds: Double) {
    let (limits, flow) = (StitchingLimits(), FlowLimits())
    let (closing, waiting) = (spans / deployment.spansPerTrace, max(spans * deployment.exits, 1e-9))
    let bytes = costs.bytes.closedTrace + 8 * deployment.spansPerTrace
    let closed = min(
      closing * Double(limits.maxTraceAge.components.seconds), Double(limits.maxClosedTraces),
      Double(limits.closedBytesMax) / bytes)
    let ends = min(waiting * Double(flow.linkTTL.components.seconds), Double(flow.maxHalfLinks))
    let all =
      costs.aggregator.residentMiB * 1_048_576 + closed * bytes + ends * Double(FlowLimits.halfLinkBytes)
    return (all, closed / closing, ends / waiting)
  }

  /// Cores for so much work a second, by division.
  private func least(_ work: Double) -> Int { max(1, Int((work / deployment.allowedLoad).rounded(.up))) }

  /// The smallest number from `lower` on with which it holds, within one in a hundred; nil where none does up to 64
  /// times as many.
  static func smallest(from lower: Int, _ holds: (Int) -> Bool) -> Int? {
    var (fails, number) = (lower - 1, lower)
    while !holds(number) {
      guard number < lower * 64 else { return nil }
      fails = number
      number += max(1, number / 8)
    }
    while number - fails > max(1, number / 100) {
      let middle = (fails + number) / 2
      if holds(middle) { number = middle } else { fails = middle }
    }
    return number
  }
}
