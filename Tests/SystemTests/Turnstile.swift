import Synchronization
import TestKit
import Testing

/// Lets only so many tests in at once. Each starts several processes: all of them together would be slower than one
/// after the other, and drain timeouts would pass while a machine of few cores gets around to them.
final class Turnstile: Sendable {
  static let shared = Turnstile(width: 4)

  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  init(width: Int) { state = Mutex(State(free: width)) }

  /// Runs `body` when it is its turn.
  func pass(_ body: @concurrent @Sendable () async throws -> Void) async rethrows {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.free > 0 else {
          state.waiting.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if isFree { continuation.resume() }
    }
    defer {
      let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
        guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
        state.free += 1
        return nil
      }
      next?.resume()
    }
    try await body()
  }
}

/// Marks a suite whose tests start processes.
struct FewAtOnce: SuiteTrait, TestTrait, TestScoping {
  var isRecursive: Bool { true }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    guard testCase != nil else { return try await function() }
    try await Turnstile.shared.pass {
      // Many times what the slowest takes on a busy machine.
      try await Patience.run(.seconds(400), isOver: { Issue.record("no end in sight: its programs are killed") }) {
        try await function()
      }
    }
  }
}

extension Trait where Self == FewAtOnce {
  /// Few tests of the whole run at once.
  static var fewAtOnce: Self { FewAtOnce() }
}
