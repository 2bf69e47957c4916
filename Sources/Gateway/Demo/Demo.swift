internal import Foundation
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization
internal import Transport
internal import UnixSignals

/// Three relays, an aggregator and a shop's traffic in one process, over real sockets with real mutual TLS.
struct Demo: Service {
  /// Visits to the shop in a second.
  static let visitsPerSecond = 40

  let seconds: Int
  let seed: UInt64
  let screen: DemoScreen

  func run() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "longspan-demo-" + UUID().uuidString)
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: folder) }
    let stack = try await DemoStack.start(in: folder)
    screen.introduce(stack)
    let truth = DemoTruth()
    let started = ContinuousClock.now
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await visit(stack, truth) }
        group.addTask { await watch(stack, truth) }
        await group.waitForAll()
      }
    }
    screen.say("stopping the traffic; draining relays and aggregator")
    let elapsed = Double((ContinuousClock.now - started).nanosecondsClamped) / 1e9
    let reading = await stack.finish()
    screen.conclude(stack, reading: reading, truth: truth.counts, seconds: elapsed)
    try await stack.stop()
  }

  /// Makes the shop's visits at an even pace and has every region's application export its own spans.
  private func visit(_ stack: DemoStack, _ truth: DemoTruth) async {
    var workload = DemoWorkload(seed: seed)
    let start = ContinuousClock.now
    var number = 0
    while !Task.isCancelled, screen.isHeard, seconds == 0 || number < seconds * Self.visitsPerSecond {
      let due = start + .nanoseconds(1_000_000_000 / Self.visitsPerSecond * number)
      guard (try? await Task.sleep(until: due, clock: .continuous)) != nil else { return }
      number += 1
      let visit = workload.visit(now: UInt64(max(0, Date.now.timeIntervalSince1970) * 1e9))
      truth.note(visit)
      for region in DemoWorkload.regions {
        let spans = visit.spans.filter { $0.region == region }
        if !spans.isEmpty, await !stack.send(spans, from: region) { truth.noteUnsent(spans.count) }
      }
    }
  }

  /// Redraws the table each second.
  private func watch(_ stack: DemoStack, _ truth: DemoTruth) async {
    var before = FlowReading()
    var last = ContinuousClock.now
    var second = 0
    while !Task.isCancelled, screen.isHeard, seconds == 0 || second < seconds {
      guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
      second += 1
      let reading = await stack.reading()
      let now = ContinuousClock.now
      let passed = Double((now - last).nanosecondsClamped) / 1e9
      let table = FlowTable(reading, since: before, seconds: passed, truth: truth.counts.traces)
      screen.show(table, second: second, of: seconds)
      (before, last) = (reading, now)
    }
  }
}

extension Gateway {
  /// Runs the demo for so many seconds (0: until SIGINT or SIGTERM) and prints its summary.
  public static func runDemo(seconds: Int, seed: UInt64) async -> LongspanExitCode {
    let screen = DemoScreen()
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(
            service: Demo(seconds: seconds, seed: seed, screen: screen),
            successTerminationBehavior: .gracefullyShutdownGroup)
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: .quiet))
    do {
      try await group.run()
      return .done
    } catch let failure as StartFailure {
      screen.complain(failure.message)
      return .unavailable
    } catch {
      screen.complain("the demo failed: \(error)")
      return .failed
    }
  }
}
