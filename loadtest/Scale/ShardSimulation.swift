internal import Load
internal import Stitching
internal import TraceWire

/// Some shards of an aggregator for a while: traces begin, their parts come and wait, and traces are live until
/// nothing came for the idle timeout.
struct ShardSimulation {
  private struct Part {
    var time: Double
    var spans: Int
  }

  private let deployment: Deployment
  private let mix: TraceMix
  private let map: ShardMap
  private let burst: Burst
  /// Seconds of a core for a span.
  private let cost: Double
  /// Traces a second that begin at all shards that are watched.
  private let rate: Double
  /// Before it nothing counts: tables fill.
  private let begin: Double
  private let end: Double
  private var random: SeededNumbers
  private var queues: [WorkQueue]
  private var occupancies: [Occupancy]
  /// What will come, by step and shard.
  private var pending: [[Part]]
  private var times: [Double] = []
  private var traces = 0
  private var residence = 0.0
  private var spans = 0
  private var lateSpans = 0

  /// So many shards, of which some are watched.
  init(_ deployment: Deployment, cost: Double, shards: Int) {
    self.deployment = deployment
    self.cost = cost
    let watched = min(shards, deployment.watched)
    mix = TraceMix(deployment)
    random = SeededNumbers(seed: deployment.seed &+ 0x5aad)
    map = ShardMap(shardCount: watched, hash: KeyedHash(using: &random))
    rate = deployment.stitchedPerSecond / deployment.spansPerTrace * Double(watched) / Double(shards)
    begin = 2 * (deployment.idleTimeout + deployment.exportDelay)
    end = begin + deployment.seconds
    burst = Burst(deployment, seconds: end)
    queues = Array(repeating: WorkQueue(), count: watched)
    occupancies = Array(repeating: Occupancy(seconds: end), count: watched)
    pending = Array(repeating: [], count: Burst.steps(end) * watched)
  }

  /// Lets the time go by.
  mutating func run() -> ShardReport {
    for step in 0..<Burst.steps(end) {
      let (start, next) = (Double(step) * Burst.step, Double(step + 1) * Burst.step)
      // An exponential distribution has no memory: each step may begin anew.
      var time = start
      while true {
        time += random.exponential() / (rate * burst.factor(step))
        guard time < next else { break }
        open(at: time)
      }
      for shard in queues.indices { serve(step * queues.count + shard, shard) }
    }
    return report
  }

  /// Begins a trace: its parts come later.
  private mutating func open(at time: Double) {
    let size = mix.size(&random)
    let shard = map.shard(of: TraceID(high: random.next(), low: random.next()))
    mix.arrivals(of: size, from: time, &random, into: &times)
    var (last, held) = (times[0], 0)
    for (part, time) in times.enumerated() {
      let spans = size * (part + 1) / times.count - size * part / times.count
      let step = Int(time / Burst.step)
      if step * queues.count < pending.count {
        pending[step * queues.count + shard].append(Part(time: time, spans: spans))
      }
      if time - last < deployment.idleTimeout {
        last = time
        held += spans
        occupancies[shard].hold(spans, at: time)
      } else {
        lateSpans += spans
      }
    }
    let close = last + deployment.idleTimeout
    occupancies[shard].live(from: times[0], until: close, spans: held)
    spans += size
    if times[0] >= begin {
      traces += 1
      residence += close - times[0]
    }
  }

  /// Does the work that comes to a shard in a step.
  private mutating func serve(_ number: Int, _ shard: Int) {
    var parts: [Part] = []
    swap(&parts, &pending[number])
    parts.sort { $0.time < $1.time }
    for part in parts {
      queues[shard].arrive(at: part.time, service: Double(part.spans) * cost, counts: part.time >= begin)
    }
  }

  private var report: ShardReport {
    let seconds = deployment.seconds
    let count = Double(queues.count)
    let levels = occupancies.map { $0.levels(from: begin) }
    return ShardReport(
      utilisation: queues.reduce(0) { $0 + $1.work } / seconds / count,
      p99: queues.reduce(0) { max($0, $1.p99) },
      meanWait: queues.reduce(0) { $0 + $1.waited } / Double(max(1, queues.reduce(0) { $0 + $1.waits.count })),
      live: levels.reduce(0) { $0 + $1.mean.traces } / count, held: levels.reduce(0) { $0 + $1.mean.spans } / count,
      livePeak: levels.reduce(0) { max($0, $1.peak.traces) }, heldPeak: levels.reduce(0) { max($0, $1.peak.spans) },
      residence: residence / Double(max(traces, 1)), late: Double(lateSpans) / Double(max(spans, 1)))
  }
}

/// How it went at the shards that were watched.
struct ShardReport: Sendable {
  /// Share of the time in which a shard is busy, where all work that comes is done.
  var utilisation: Double
  /// Seconds that 99 % of the parts wait at most, at the shard where they wait longest.
  var p99: Double
  /// Seconds that a part waits on average.
  var meanWait: Double
  /// Traces that are live at a shard, and spans that they hold, on average.
  var live, held: Double
  /// The most there ever were at a shard.
  var livePeak, heldPeak: Double
  /// Seconds from a trace's first span to its closing.
  var residence: Double
  /// Share of spans that come after their trace closed.
  var late: Double
}
