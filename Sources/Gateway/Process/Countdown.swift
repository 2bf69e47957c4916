internal import Synchronization

/// Tells when the last of some things on different threads is done.
final class Countdown: Sendable {
  private let left: Atomic<Int>
  private let done: @Sendable () -> Void

  /// Waits for so many, at least one.
  init(_ count: Int, done: @escaping @Sendable () -> Void) {
    precondition(count > 0, "there is something to wait for")
    left = Atomic(count)
    self.done = done
  }

  /// One is done.
  func count() {
    if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { done() }
  }
}
