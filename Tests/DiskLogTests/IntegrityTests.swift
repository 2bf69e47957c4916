import Foundation
import GRDB
import Testing

@testable import DiskLog

/// Records with a wrong checksum, and what makes a commit last.
@Suite struct IntegrityTests {
  let scratch = Scratch(isFast: true)
  static let marker = Array("the bytes of a payload".utf8)

  /// Three records, and a bit of the second changed, in its payload or its header.
  private func damage(_ bytes: [UInt8]) async throws {
    let log = try scratch.open()
    let second = DiskLogRecord(kind: 1, header: Array("a header of its own".utf8), payload: Self.marker)
    _ = try await log.append(DiskLogRecord("one"), second, DiskLogRecord("three"))
    await log.close()
    var file = try #require(FileManager.default.contents(atPath: scratch.file))
    let place = try #require(file.firstRange(of: Data(bytes)))
    file[place.lowerBound + 5] ^= 4
    try file.write(to: URL(filePath: scratch.file))
  }

  private func expectGone(_ log: DiskLog) async throws {
    #expect(log.counters.damagedRecords == 1)
    #expect(try log.records == [1: DiskLogRecord("one"), 3: DiskLogRecord("three")])
    #expect(log.usedBytes == DiskLogRecord("one").bytes + DiskLogRecord("three").bytes)
    await log.close()
    let again = try scratch.open()
    #expect(again.opening.records == 2 && again.opening.lost == 0 && again.opening.wasSetAside.isEmpty)
    #expect(try again.entries.map(\.address) == [1, 3])
    #expect(try await again.append(DiskLogRecord("four")) == 4..<5)
    await again.close()
  }

  @Test func replaySkipsADamagedPayload() async throws {
    try await damage(Self.marker)
    let log = try scratch.open()
    #expect(log.opening.records == 3 && log.opening.lost == 0)
    #expect(try log.records.keys.sorted() == [1, 3])
    #expect(log.counters.removedRecords == 1)
    try await expectGone(log)
  }

  @Test func readSkipsADamagedPayload() async throws {
    try await damage(Self.marker)
    let log = try scratch.open()
    #expect(try await log.read([1, 2, 3]).keys.sorted() == [1, 3])
    try await expectGone(log)
  }

  @Test func openingSkipsADamagedHeader() async throws {
    try await damage(Array("a header of its own".utf8))
    let log = try scratch.open()
    #expect(log.opening.records == 2 && log.opening.lost == 1)
    try await expectGone(log)
  }

  @Test func checksumSeesEveryBit() {
    var record = Array(0..<UInt8(37))
    let sum = RecordChecksum.payload(record.span.bytes)
    for index in record.indices {
      for bit in 0..<8 {
        record[index] ^= 1 << UInt8(bit)
        #expect(RecordChecksum.payload(record.span.bytes) != sum)
        record[index] ^= 1 << UInt8(bit)
      }
    }
    record.append(0)
    #expect(RecordChecksum.payload(record.span.bytes) != sum)
    #expect(RecordChecksum.payload([UInt8]().span.bytes) != RecordChecksum.payload([0].span.bytes))
  }

  /// What a commit's promise rests on.
  @Test func eachCommitIsSynchronized() async throws {
    await (try scratch.open()).close()
    let file = try LogFile(scratch.file, .small)
    let settings = try await file.queue.writeWithoutTransaction { db in
      try ["synchronous", "journal_mode", "locking_mode", "auto_vacuum", "wal_autocheckpoint", "page_size"].map {
        try String.fetchOne(db, sql: "PRAGMA \($0)")
      }
    }
    #expect(settings == ["2", "wal", "exclusive", "2", "0", "8192"])
    try file.close()
  }
}
