import Synchronization

/// What the world outside an aggregator has seen of one life of it, in the order in which it happened.
final class JournalWitness: Sendable {
  /// What a back end said to an export.
  enum Verdict: Sendable {
    case taken
    case refused
    /// It may come again.
    case busy
  }

  struct Export: Sendable {
    var exporter: Int
    var spans: [ModelSpan.Key]
    var verdict: Verdict
  }

  /// How much had been seen at a moment.
  struct Moment: Sendable {
    var answered = 0
    var exports = 0
  }

  private struct State {
    /// Numbers of batches, by when success was answered.
    var answered: [Int] = []
    var exports: [Export] = []
    /// Answers of any kind.
    var answers = 0
    var checkpoints = 0
  }

  private let state = Mutex(State())

  var answered: [Int] { state.withLock { $0.answered } }
  var exports: [Export] { state.withLock { $0.exports } }
  var answers: Int { state.withLock { $0.answers } }
  var checkpoints: Int { state.withLock { $0.checkpoints } }
  var moment: Moment { state.withLock { Moment(answered: $0.answered.count, exports: $0.exports.count) } }

  /// A batch, by its number, was answered.
  func answered(_ number: Int, withSuccess isSuccess: Bool) {
    state.withLock { state in
      state.answers += 1
      if isSuccess { state.answered.append(number) }
    }
  }

  /// A checkpoint was written, or there was nothing to write.
  func checkpointed() { state.withLock { $0.checkpoints += 1 } }

  /// A back end is about to answer an export.
  func exported(_ export: Export) { state.withLock { $0.exports.append(export) } }
}
