import Foundation
import TestKit
import Testing

@testable import DiskLog

/// Reading a file without SQLite.
@Suite struct SalvageTests {
  static let seeds = ModelTests.seeds

  /// Of a sound file, and of what a crash leaves, salvage sees exactly what SQLite sees.
  @Test(arguments: seeds) func agreesWithSQLite(seed: UInt64) async throws {
    var random = SeededGenerator(seed)
    let original = try await DamagedLog.make(&random)
    for files in [original.files, ["": original.closed]] {
      let scratch = Scratch(isFast: true)
      try scratch.put(files)
      var found: [UInt64: DiskLogRecord] = [:]
      var salvage = Salvage()
      try salvage.run(scratch.file) { (address, record) throws(DiskLogFault) in
        found.updateValue(record, forKey: UInt64(address)) == nil
      }
      let isSame = found == original.live
      #expect(isSame, "seed \(seed)")
      #expect(salvage.lost == 0 && salvage.records == found.count, "seed \(seed)")
      #expect(Dictionary(uniqueKeysWithValues: salvage.lastNotes) == original.lastNotes, "seed \(seed)")
      #expect(salvage.ledger.next > Int64(original.live.keys.max() ?? 0), "seed \(seed)")
    }
  }

  /// One page that is gone costs what lies on it.
  @Test func onePageCostsItsRecords() async throws {
    let scratch = Scratch(isFast: true)
    let log = try scratch.open()
    for _ in 0..<12 {
      // Ten to a page, and now and then one that goes on in others.
      let records = (0..<10).map { DiskLogRecord(bytes: $0 == 9 ? 30_000 : 700) }
      _ = try await log.commit(DiskLogTransaction(appends: records, notes: ["note0": [1]])).get()
    }
    try await log.remove(1...40)
    let all = try log.records
    await log.close()
    let whole = [UInt8](try #require(FileManager.default.contents(atPath: scratch.file)))
    let size = LogSchema.pageBytes
    for page in 0..<whole.count / size {
      let copy = Scratch(isFast: true)
      var bytes = whole
      bytes.replaceSubrange(page * size..<(page + 1) * size, with: repeatElement(0, count: size))
      try copy.put(["": bytes])
      let again = try copy.open()
      let found = try again.records
      let areKnown = found.allSatisfy { all[$0.key] == $0.value }
      #expect(areKnown, "page \(page)")
      #expect(found.count >= all.count - 12, "page \(page): \(found.count) of \(all.count)")
      // With the map of what is free gone, and nothing else, the tree still tells.
      #expect(page > 1 || found.count == all.count, "page \(page)")
      #expect(try page == 3 || again.note("note0") == [1], "page \(page)")
      #expect(again.opening.records == found.count || again.counters.damagedRecords > 0, "page \(page)")
      await again.close()
    }
  }

  /// A damaged frame in the WAL costs what lies in it, not what was committed after it.
  @Test func oneFrameCostsItsPage() async throws {
    let scratch = Scratch(isFast: true)
    let camera = CrashCamera(path: scratch.file, seed: 1, oneIn: 1000)
    var tuning = DiskLogTuning.small
    tuning.probe = { camera.see($0) }
    let log = try scratch.open(tuning)
    for _ in 0..<20 { _ = try await log.append(DiskLogRecord(bytes: 5000)) }
    let all = try log.records
    camera.wantsLast = true
    _ = try await log.read([])
    await log.close()
    let files = try #require(camera.last).files
    let wal = try #require(files["-wal"])
    let frame = 24 + LogSchema.pageBytes
    #expect(wal.count > 40 * frame)
    for number in 0..<wal.count / frame {
      let copy = Scratch(isFast: true)
      var bytes = wal
      bytes[32 + number * frame + 24 + 4000] ^= 1
      try copy.put(files.merging(["-wal": bytes]) { $1 })
      let again = try copy.open()
      let found = try again.records
      let areKnown = found.allSatisfy { all[$0.key] == $0.value }
      #expect(areKnown && found.count >= all.count - 1, "frame \(number): \(found.count) of \(all.count)")
      await again.close()
    }
  }
}
