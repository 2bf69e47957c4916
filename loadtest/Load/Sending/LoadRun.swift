import NIOCore
import NIOPosix
import TLSEngine
import Transport

/// Why nothing could be sent.
public enum LoadFailure: Error, Equatable {
  case cannotConnect(String)
}

/// Carries out a plan.
public enum LoadRun {
  /// Sends all of it and waits for the answers. Throws when no connection can be made.
  public static func run(_ plan: LoadPlan) async throws -> LoadReport {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, min(plan.threads, plan.connections)))
    do {
      let report = try await run(plan, on: group)
      try await group.shutdownGracefully()
      return report
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
  }

  private static func run(_ plan: LoadPlan, on group: MultiThreadedEventLoopGroup) async throws -> LoadReport {
    let tls = try plan.tls.map { TLSContextSource(try TLSContext(client: $0)) }
    let loops = Array(group.makeIterator())
    let lanes = try await PerLoop(on: loops) { loop, index in
      let bodies = BodySource(plan)
      return stride(from: index, to: plan.connections, by: loops.count).map {
        LoadLane(plan, number: $0, tls: tls, bodies: bodies, on: loop)
      }
    }
    let opened = await lanes.map { lanes in
      lanes.map { lane in
        lane.connect()
        return lane.ready.futureResult
      }
    }
    do {
      for ready in opened.joined() { try await ready.get() }
    } catch {
      _ = await lanes.map { $0.forEach { $0.close() } }
      throw error
    }
    let begin = NIODeadline.now().uptimeNanoseconds + 5_000_000
    let finished = await lanes.map { lanes in
      lanes.map { lane in
        lane.begin(at: begin)
        return lane.finished.futureResult
      }
    }
    await waitForEnd(Array(finished.joined()), plan, loops[0])
    let tallies = await lanes.map { lanes in
      lanes.reduce(into: LoadTally()) { sum, lane in
        lane.close()
        sum.merge(lane.tally)
      }
    }
    return LoadReport(tallies.reduce(into: LoadTally()) { $0.merge($1) }, begin: begin)
  }

  /// Waits until all lanes have finished; past the plan's end, no longer than its patience.
  private static func waitForEnd(
    _ finished: [EventLoopFuture<Void>], _ plan: LoadPlan, _ loop: any EventLoop
  ) async {
    let all = EventLoopFuture.andAllComplete(finished, on: loop)
    guard case .after(let duration) = plan.end else {
      try? await all.get()
      return
    }
    let end = loop.makePromise(of: Void.self)
    all.cascade(to: end)
    let limit = (duration + plan.patience) / .nanoseconds(1)
    let late = loop.scheduleTask(in: .nanoseconds(Int64(limit))) { end.succeed() }
    try? await end.futureResult.get()
    late.cancel()
  }
}
