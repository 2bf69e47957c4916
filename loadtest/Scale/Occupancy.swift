/// How many traces are live and how many spans they hold, over time: what comes and goes in each step.
struct Occupancy: Sendable {
  /// A number of traces and of their spans.
  struct Level: Sendable {
    var traces = 0.0
    var spans = 0.0
  }

  private var changes: [Level]

  /// Nothing, for so many seconds.
  init(seconds: Double) { changes = Array(repeating: Level(), count: Burst.steps(seconds)) }

  /// Spans come.
  mutating func hold(_ spans: Int, at time: Double) { change(at: time) { $0.spans += Double(spans) } }

  /// A trace comes, and goes with its spans.
  mutating func live(from begin: Double, until end: Double, spans: Int) {
    change(at: begin) { $0.traces += 1 }
    change(at: end) {
      $0.traces -= 1
      $0.spans -= Double(spans)
    }
  }

  private mutating func change(at time: Double, _ body: (inout Level) -> Void) {
    let step = Int(time / Burst.step)
    if step < changes.count { body(&changes[step]) }
  }

  /// The mean from a time on, and the peaks.
  func levels(from begin: Double) -> (mean: Level, peak: Level) {
    var (now, sum, peak) = (Level(), Level(), Level())
    let first = Burst.steps(begin)
    for (step, change) in changes.enumerated() {
      now.traces += change.traces
      now.spans += change.spans
      guard step >= first else { continue }
      sum.traces += now.traces
      sum.spans += now.spans
      peak.traces = max(peak.traces, now.traces)
      peak.spans = max(peak.spans, now.spans)
    }
    let steps = Double(max(1, changes.count - first))
    return (Level(traces: sum.traces / steps, spans: sum.spans / steps), peak)
  }
}
