internal import Synchronization

/// Whether the process is about to end, so that new requests are turned away. Set once, seen by all event loops.
final class DrainFlag: Sendable {
  private let flag = Atomic<Bool>(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }
  func set() { flag.store(true, ordering: .relaxed) }
}
