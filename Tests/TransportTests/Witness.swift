import Synchronization

/// What a test sees of something that happens on other threads; it waits for conditions, never for time.
final class Witness<State: Sendable>: Sendable {
  private struct Inner: Sendable {
    var state: State
    var waiters: [Waiter] = []
  }

  private struct Waiter: Sendable {
    let condition: @Sendable (State) -> Bool
    let continuation: CheckedContinuation<State, Never>
  }

  private let inner: Mutex<Inner>

  init(_ state: State) { inner = Mutex(Inner(state: state)) }

  var state: State { inner.withLock { $0.state } }

  /// Changes the state and wakes whoever waited for what it has become.
  func change(_ body: (inout State) -> Void) {
    let (state, ready) = inner.withLock { inner -> (State, [Waiter]) in
      body(&inner.state)
      let state = inner.state
      let ready = inner.waiters.filter { $0.condition(state) }
      inner.waiters.removeAll { $0.condition(state) }
      return (state, ready)
    }
    for waiter in ready { waiter.continuation.resume(returning: state) }
  }

  /// The state as soon as the condition holds.
  @discardableResult
  func wait(until condition: @escaping @Sendable (State) -> Bool) async -> State {
    await withCheckedContinuation { continuation in
      let now = inner.withLock { inner -> State? in
        if condition(inner.state) { return inner.state }
        inner.waiters.append(Waiter(condition: condition, continuation: continuation))
        return nil
      }
      if let now { continuation.resume(returning: now) }
    }
  }
}
