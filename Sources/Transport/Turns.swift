internal import DequeModule
public import NIOCore

/// Work of one event loop that is done a piece at a time: between two pieces the loop looks at its connections.
///
/// A loop runs what was submitted to it until nothing is left, also what that submits in its turn, and only then looks
/// at its sockets. So a piece comes after a pause, in which there is nothing else to run; and there is one such queue
/// for each loop, or the pieces of one would fill the pauses of the other.
public final class Turns {
  private static let pause = TimeAmount.microseconds(20)

  private let loop: any EventLoop
  private var waiting: Deque<() -> Void> = []
  private var isScheduled = false

  /// Makes the queue of a loop.
  public init(_ loop: any EventLoop) { self.loop = loop }

  /// Does a piece of work when it is its turn. To be called on the loop.
  public func add(_ piece: @escaping () -> Void) {
    waiting.append(piece)
    schedule()
  }

  private func schedule() {
    guard !isScheduled, !waiting.isEmpty else { return }
    isScheduled = true
    loop.assumeIsolated().scheduleTask(in: Self.pause) { [self] in
      isScheduled = false
      waiting.popFirst()?()
      schedule()
    }
  }
}
