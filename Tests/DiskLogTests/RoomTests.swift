import Foundation
import Testing

@testable import DiskLog

/// The cap, the disk's end, and the file's size.
@Suite struct RoomTests {
  let scratch = Scratch(isFast: true)

  @Test func capIsExact() async throws {
    let log = try scratch.open(maxBytes: 100)
    let full = Result<Range<UInt64>, DiskLogFault>.failure(.full)
    #expect(await log.commit(DiskLogTransaction(appends: [DiskLogRecord(bytes: 101)])) == full)
    _ = try await log.append(DiskLogRecord(kind: 1, header: [1, 2], payload: Array(repeating: 0, count: 97)))
    #expect(!log.isFull)
    #expect(await log.commit(DiskLogTransaction(appends: [DiskLogRecord(bytes: 2)])) == full)
    #expect(try await log.append(DiskLogRecord(bytes: 1)) == 2..<3)
    #expect(log.isFull && log.usedBytes == 100)
    #expect(await log.commit(DiskLogTransaction(appends: [DiskLogRecord(bytes: 1)])) == full)
    // What takes no room is never refused.
    #expect(try await log.append(DiskLogRecord(bytes: 0)) == 3..<4)
    _ = try await log.commit(DiskLogTransaction(notes: ["n": [1, 2, 3]])).get()
    let forced = DiskLogTransaction(appends: [DiskLogRecord(bytes: 50)], isForced: true)
    #expect(try await log.commit(forced).get() == 4..<5)
    #expect(log.usedBytes == 150)
    // What is removed together with the append makes room only for what is submitted after it.
    let exchange = DiskLogTransaction(appends: [DiskLogRecord(bytes: 1)], removals: [1...1])
    #expect(await log.commit(exchange) == full)
    #expect(log.usedBytes == 150)
    try await log.remove(1...1)
    #expect(log.usedBytes == 51 && !log.isFull)
    #expect(try await log.append(DiskLogRecord(bytes: 49)) == 5..<6)
    #expect(log.counters.refused == 4)
    await log.close()
    let again = try scratch.open(maxBytes: 60)
    #expect(again.isFull && again.usedBytes == 100)
    await again.close()
  }

  @Test func promisesRoomOnlyOnce() async throws {
    let log = try scratch.open(maxBytes: 1000)
    let answers = Answers()
    _ = try await log.append(DiskLogRecord(bytes: 0))
    // They come while the writer is held up, so all of them wait.
    try log.index { _ in
      for _ in 0..<30 { log.commit(DiskLogTransaction(appends: [DiskLogRecord(bytes: 100)])) { answers.add($0) } }
    }
    await log.close()
    #expect(answers.commits.count { $0 == .failure(.full) } == 20)
    #expect(log.usedBytes == 1000)
  }

  @Test func fullDiskRefusesAppendsAndLetsRemovalsThrough() async throws {
    var tuning = DiskLogTuning.small
    tuning.maxPages = 60
    let log = try scratch.open(tuning)
    var kept: [UInt64] = []
    while true {
      let answer = await log.commit(DiskLogTransaction(appends: [DiskLogRecord(bytes: 20_000)]))
      guard case .success(let addresses) = answer else {
        #expect(answer == .failure(.full))
        break
      }
      kept += addresses
      try #require(kept.count < 100)
    }
    #expect(kept.count > 10 && log.isFull)
    // Together: an append that has no room takes nothing else with it.
    let answers = Answers()
    let big = DiskLogTransaction(appends: [DiskLogRecord(bytes: 45_000)])
    let order = [
      big, DiskLogTransaction(notes: ["note0": [7]]), big, DiskLogTransaction(removals: [kept[0]...kept[2]]), big, big,
    ]
    for transaction in order { log.commit(transaction) { answers.add($0) } }
    let rest = try await log.read(kept)
    #expect(rest.keys.sorted() == Array(kept.dropFirst(3)))
    let next = try #require(kept.last) + 1
    let full = Result<Range<UInt64>, DiskLogFault>.failure(.full)
    let none = Result<Range<UInt64>, DiskLogFault>.success(next..<next)
    #expect(answers.commits == [full, none, full, none, .success(next..<next + 1), full])
    #expect(log.counters.refused == 4 && log.counters.failures == 0)
    try await log.remove(next...next)
    #expect(try log.note("note0") == [7])
    let used = log.usedBytes
    #expect(try await log.append(DiskLogRecord(bytes: 20_000)) == next + 1..<next + 2)
    #expect(!log.isFull)
    #expect(log.usedBytes == used + 20_000)
    await log.close()
    let again = try scratch.open()
    #expect(again.opening.wasSetAside.isEmpty)
    #expect(try again.entries.map(\.address) == Array(kept.dropFirst(3)) + [next + 1])
    await again.close()
  }

  @Test func fileShrinksWhenMuchIsFree() async throws {
    var tuning = DiskLogTuning.small
    tuning.freePagesMax = 20
    tuning.vacuumPages = 8
    tuning.walPagesMax = 50
    let log = try scratch.open(tuning)
    for _ in 0..<40 { _ = try await log.append(DiskLogRecord(bytes: 100_000)) }
    let long = size("")
    #expect(long > 3_000_000)
    try await log.remove(1...20)
    try await log.remove(22...40)
    // The steps are turns of the writer; each of these lets one pass.
    for _ in 0..<200 where size("") > 600_000 { _ = try await log.read([]) }
    #expect(size("") <= 600_000)
    #expect(try log.records == [21: DiskLogRecord(bytes: 100_000)])
    await log.close()
    let again = try scratch.open()
    #expect(again.opening.wasSetAside.isEmpty)
    #expect(try again.records == [21: DiskLogRecord(bytes: 100_000)])
    await again.close()
  }

  @Test func pagesAreUsedAgain() async throws {
    var tuning = DiskLogTuning.small
    tuning.walPagesMax = 50
    let log = try scratch.open(tuning)
    for round in 1...60 {
      _ = try await log.append(DiskLogRecord(bytes: 50_000))
      if round > 3 { try await log.remove(UInt64(round - 3)...UInt64(round - 3)) }
    }
    #expect(size("") < 500_000)
    #expect(size("-wal") < 1_500_000)
    await log.close()
  }

  /// A draft that a crash left is thrown away, or takes its place when it was complete.
  @Test func draftsOfACrashAreCleanedUp() async throws {
    let log = try scratch.open()
    _ = try await log.append(DiskLogRecord("a"))
    await log.close()
    let bytes = [UInt8](try #require(FileManager.default.contents(atPath: scratch.file)))
    for half in [[], [1, 2, 3], Array(bytes[..<8192]), Array(bytes[..<32768])] {
      try scratch.put([".new": half, ".new-wal": half])
      let again = try scratch.open()
      #expect(again.opening.wasSetAside.isEmpty && again.identity == log.identity)
      #expect(try again.records == [1: DiskLogRecord("a")])
      await again.close()
      #expect(scratch.names == ["queue.lock", "queue.sqlite", "queue.sqlite-wal"])
    }
    // The crash came between the two renames.
    try scratch.put(["": [9, 9, 9], ".new": bytes])
    let again = try scratch.open()
    #expect(again.identity == log.identity && again.opening.wasSetAside == [scratch.file + ".damaged-1"])
    #expect(try again.records == [1: DiskLogRecord("a")])
    await again.close()
  }

  private func size(_ suffix: String) -> Int {
    (try? FileManager.default.attributesOfItem(atPath: scratch.file + suffix)[.size] as? Int) ?? 0
  }
}
