internal import Synchronization

/// A value for another thread, which takes it out: what a closure captures, it keeps until it is gone itself, and a large
/// request is given back before that, by who has the only copy.
final class Handover<Value: Sendable>: Sendable {
  private let value: Mutex<Value?>

  init(_ value: Value) { self.value = Mutex(value) }

  /// The value, once.
  func take() -> Value? { value.withLock { $0.take() } }
}
