internal import NIOCore
internal import NIOPosix
internal import Transport

/// The threads of a role: event loops with the connections, one a core, and what each has beside it.
struct RoleLoops: Sendable {
  let group: MultiThreadedEventLoopGroup
  /// The group's loops.
  let all: [any EventLoop]
  /// A second thread for each.
  let bulk: [any EventLoop]
  /// What each does a piece at a time.
  let turns: PerLoop<Turns>

  /// Starts them, one for each core.
  init() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: Scheduling.cores)
    try await self.init(group, bulk: BulkLoops.start(count: Array(group.makeIterator()).count))
  }

  /// Loops that are there already, and the second threads of each.
  init(_ group: MultiThreadedEventLoopGroup, bulk: [any EventLoop]) async throws {
    self.group = group
    self.bulk = bulk
    all = Array(group.makeIterator())
    for loop in all { loop.execute { Scheduling.beResponsive() } }
    turns = try await PerLoop(on: all) { loop, _ in Turns(loop) }
  }
}
