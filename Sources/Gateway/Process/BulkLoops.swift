internal import Intake
internal import NIOCore
internal import NIOPosix

/// A second thread beside each event loop, for what takes long of a large request. The connections of the event loop
/// would wait for it otherwise: tens of mebibytes take as long as thousands of ordinary requests. The threads give way
/// to the event loops where there are not enough cores.
enum BulkLoops {
  /// Makes the threads.
  static func start(count: Int) -> [any EventLoop] {
    let loops = Array(MultiThreadedEventLoopGroup(numberOfThreads: count).makeIterator())
    for loop in loops { loop.execute { Scheduling.giveWay() } }
    return loops
  }
}

/// An event loop with its second thread.
final class BulkLoop: Offload {
  private let loop: any EventLoop
  private let bulk: any EventLoop

  init(_ bulk: any EventLoop, of loop: any EventLoop) {
    self.bulk = bulk
    self.loop = loop
  }

  func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result, then: @escaping (Result) -> Void) {
    let then = NIOLoopBound(then, eventLoop: loop)
    bulk.execute { [loop] in
      let result = work()
      loop.execute { then.value(result) }
    }
  }
}
