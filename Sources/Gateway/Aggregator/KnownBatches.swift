internal import Delivery
internal import Intake
internal import NIOCore
internal import Synchronization
internal import Telemetry

/// The batches that relays sent and that this aggregator has, or is about to have: one that comes again is answered and
/// not counted.
final class KnownBatches: Sendable {
  /// What is to be done with a batch.
  enum Arrival {
    /// It is new: take it in, then say `concluded`.
    case new
    /// It is here: answer success.
    case known
    /// It is being taken in for somebody else: the answer follows.
    case pending
  }

  /// Who waits for an answer, and where it is given.
  typealias Waiter = @Sendable (IntakeVerdict) -> Void

  private struct State {
    var window = BatchWindow()
    var pending: [BatchIdentity: [Waiter]] = [:]
    var repeated = 0
  }

  private let state = Mutex(State())

  /// What is known.
  var window: BatchWindow { state.withLock { $0.window } }

  /// Begins with what was known before, and more.
  func restore(_ window: BatchWindow?, _ batches: [BatchIdentity]) {
    state.withLock { state in
      if let window { state.window = window }
      for batch in batches { state.window.insert(batch) }
    }
  }

  /// A batch has come; `waiter` is kept where another of the same name is being taken in.
  func arrived(_ batch: BatchIdentity, waiter: @escaping Waiter) -> Arrival {
    state.withLock { state in
      if state.window.contains(batch) {
        state.repeated += 1
        return .known
      }
      if state.pending[batch] != nil {
        state.repeated += 1
        state.pending[batch]?.append(waiter)
        return .pending
      }
      state.pending[batch] = []
      return .new
    }
  }

  /// A new batch was taken in, or not. Answers those who sent it again meanwhile.
  func concluded(_ batch: BatchIdentity, _ verdict: IntakeVerdict) {
    let waiters = state.withLock { state in
      if case .accepted = verdict { state.window.insert(batch) }
      return state.pending.removeValue(forKey: batch) ?? []
    }
    for waiter in waiters { waiter(verdict) }
  }

  /// The metrics.
  func families() -> [MetricFamily] {
    let (repeated, origins, evictions) = state.withLock { ($0.repeated, $0.window.count, $0.window.evictions) }
    return [
      MetricFamily(
        "longspan_repeated_batches_total", .counter,
        help: "Batches that a relay sent again and that were here already: answered, not counted.",
        samples: [MetricSample([], Double(repeated))]),
      MetricFamily(
        "longspan_batch_origins", .gauge, help: "Relays, by the names of their batches, that are remembered.",
        samples: [MetricSample([], Double(origins))]),
      MetricFamily(
        "longspan_batch_window_forgotten_total", .counter,
        help: "Relays, and ranges of a relay's batches, that were forgotten to make room.",
        samples: [MetricSample([], Double(evictions))]),
    ]
  }
}
