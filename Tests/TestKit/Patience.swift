import Foundation
import Synchronization

/// How long a test may take. When its time is over, the programs it started are killed: whatever waits for them then
/// comes to its end, and a test that would hang fails instead.
public final class Patience: Sendable {
  /// That of the running test.
  @TaskLocal public static var current: Patience?

  private struct Weak: Sendable {
    weak var process: ChildProcess?
  }

  private let watched = Mutex<(processes: [Weak], isOver: Bool)>(([], false))

  init() {}

  /// Takes in a program to kill when time is over.
  func watch(_ process: ChildProcess) {
    let isOver = watched.withLock { watched in
      if watched.processes.count % 64 == 63 { watched.processes.removeAll { $0.process?.isRunning != true } }
      watched.processes.append(Weak(process: process))
      return watched.isOver
    }
    if isOver { process.signal(SIGKILL) }
  }

  private func end() {
    let processes = watched.withLock { watched in
      watched.isOver = true
      return watched.processes
    }
    for weak in processes { weak.process?.signal(SIGKILL) }
  }

  /// Runs `body`; once `limit` has passed `isOver` is told, and the programs that `body` started are killed.
  public static func run(
    _ limit: Duration, isOver: @escaping @Sendable () -> Void, _ body: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let patience = Patience()
    let watch = Task {
      guard (try? await Task.sleep(for: limit)) != nil else { return }
      isOver()
      patience.end()
    }
    defer { watch.cancel() }
    try await $current.withValue(patience) { try await body() }
  }
}
