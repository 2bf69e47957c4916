import Foundation
import Testing

@testable import DiskLog

// Exit tests take values along from 6.3 on.
#if compiler(>=6.3)
  /// A process whose files may not grow past a limit, as on a full disk: it can still remove, and then append again.
  @Suite struct ExhaustionTests {
    @Test func aFullDiskCanBeEmptied() async throws {
      let scratch = Scratch()
      await #expect(processExitsWith: .success) { [path = scratch.path as String] in
        try await ExhaustedWriter(path: path).run()
      }
      let log = try scratch.open()
      #expect(log.opening.wasSetAside.isEmpty && log.opening.epoch == 3)
      #expect(try Set(log.records.values) == [ExhaustedWriter.record, DiskLogRecord("last")])
      await log.close()
    }
  }

  /// What runs in that process.
  struct ExhaustedWriter {
    let path: String
    static let record = DiskLogRecord(bytes: 30_000)

    func run() async throws {
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 3 << 20, rlim_max: 3 << 20)
      guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
      var log = try open()
      let count = try await fill(log)
      guard count > 60, log.isFull, log.counters.failures == 0 else { exit(3) }
      for address in 1...10 { try await log.remove(UInt64(address)...UInt64(address)) }
      guard try await fill(log) >= 8, log.counters.failures == 0 else { exit(4) }
      await log.close()
      // And again when it finds the disk full as it opens.
      log = try open()
      guard log.opening.records > 60 else { exit(5) }
      let addresses = try log.entries.map(\.address)
      for address in addresses.dropLast() { try await log.remove(address...address) }
      _ = try await log.append(DiskLogRecord("last"))
      guard log.counters.failures == 0 else { exit(6) }
      await log.close()
    }

    private func open() throws -> DiskLog {
      try DiskLog.open(DiskLogOptions(directory: path, name: "queue"), .small)
    }

    /// Appends until there is no room.
    private func fill(_ log: DiskLog) async throws -> Int {
      for count in 0..<1000 {
        switch await log.commit(DiskLogTransaction(appends: [Self.record])) {
        case .success: continue
        case .failure(.full): return count
        case .failure(let fault): throw fault
        }
      }
      return 1000
    }
  }
#endif
