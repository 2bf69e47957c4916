import NIOCore
import NIOPosix
import Synchronization
import Testing
import Transport

@testable import Gateway

@Suite struct RemainsTests {
  /// Says on which loop it goes.
  private final class Room: Sendable {
    private let loop: any EventLoop
    private let promise: EventLoopPromise<Bool>

    init(_ loop: any EventLoop) {
      self.loop = loop
      promise = loop.makePromise()
    }

    var isGivenBackOnLoop: EventLoopFuture<Bool> { promise.futureResult }

    deinit { promise.succeed(loop.inEventLoop) }
  }

  private struct Large: GivenBack {
    let room: Room

    consuming func giveBack() {}
  }

  @Test func roomIsGivenBackOnTheOtherThread() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let loops = Array(group.makeIterator())
    let cells = try await PerLoop(on: loops) { _, number in number }
    var room: Room? = Room(loops[1])
    let answer = try #require(room).isGivenBackOnLoop
    var held: [Remains<Large, Int>] = []
    if let room { held = Array(repeating: Remains(Large(room: room), on: 1, of: cells), count: 2) }
    room = nil
    held.removeLast()
    // Nothing is given back while somebody still has it: what this loop does next comes before that.
    let isGivenBack = Mutex(false)
    answer.whenComplete { _ in isGivenBack.withLock { $0 = true } }
    try await loops[1].submit {}.get()
    #expect(!isGivenBack.withLock { $0 })
    held.removeAll()
    #expect(try await answer.get())
    try await group.shutdownGracefully()
  }
}
