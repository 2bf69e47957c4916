internal import Synchronization

/// What the demo's workload really did: the number that the estimates are held against.
final class DemoTruth: Sendable {
  struct Counts: Sendable {
    var visits = 0
    var spans = 0
    var unsentSpans = 0
    /// Traces that crossed each pair.
    var traces: [RegionPair: Int] = [:]
  }

  private let state = Mutex(Counts())

  var counts: Counts { state.withLock { $0 } }

  func note(_ visit: DemoWorkload.Visit) {
    state.withLock { counts in
      counts.visits += 1
      counts.spans += visit.spans.count
      for pair in visit.crossings { counts.traces[pair, default: 0] += 1 }
    }
  }

  func noteUnsent(_ spans: Int) { state.withLock { $0.unsentSpans += spans } }
}
