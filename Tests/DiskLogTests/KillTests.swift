import Foundation
import TestKit
import Testing

@testable import DiskLog

// Exit tests take values along from 6.3 on.
#if compiler(>=6.3)
  /// A process that is killed while it writes: what it had been told is on the disk is there.
  @Suite struct KillTests {
    @Test(arguments: ModelTests.seeds) func killedProcessLosesNothing(seed: UInt64) async throws {
      let scratch = Scratch()
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = scratch.path as String, seed = seed as UInt64] in
        try KilledWriter(path: path, seed: seed).run()
      }
      let answered = FileManager.default.contents(atPath: KilledWriter.answers(scratch.path))?.count ?? 0
      #expect(answered >= KilledWriter.leastAnswers, "seed \(seed)")
      let log = try scratch.open()
      #expect(log.opening.wasSetAside.isEmpty && log.opening.lost == 0, "seed \(seed)")
      let found = try await log.model(notes: ModelRun.names)
      await log.close()
      var model = LogModel()
      for (index, transaction) in KilledWriter.transactions(seed: seed).enumerated() {
        if index >= answered, model == found { return }
        _ = model.apply(transaction)
      }
      let isAll = model == found
      #expect(isAll, "seed \(seed): neither the \(answered) that were answered nor a continuation of them")
    }
  }

  /// What runs in the process that dies.
  struct KilledWriter {
    let path: String
    let seed: UInt64
    static let leastAnswers = 20

    /// A file with a byte for each answer. The kernel keeps it when the process is gone.
    static func answers(_ path: String) -> String { path + "/answers" }

    static func transactions(seed: UInt64) -> [DiskLogTransaction] {
      var random = SeededGenerator(seed)
      var model = LogModel()
      return (0..<400).map { _ in
        let transaction = model.transaction(&random)
        _ = model.apply(transaction)
        return transaction
      }
    }

    func run() throws {
      var tuning = DiskLogTuning.small
      tuning.walPagesMax = 40
      tuning.groupCountMax = 4
      let log = try DiskLog.open(DiskLogOptions(directory: path, name: "queue"), tuning)
      let file = open(Self.answers(path), O_WRONLY | O_CREAT | O_APPEND, 0o600)
      let last = Self.leastAnswers + Int(seed &* 37 % 200)
      let answered = Order()
      for transaction in Self.transactions(seed: seed) {
        log.commit(transaction) { answer in
          guard case .success = answer, write(file, "x", 1) == 1 else { exit(3) }
          answered.add(0)
        }
      }
      // From another thread, so that it comes in the middle of whatever the writer does.
      while answered.numbers.count < last {}
      kill(getpid(), SIGKILL)
    }
  }
#endif
