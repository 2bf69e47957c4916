import Foundation
import TestKit
import Testing

@testable import DiskLog

/// Files that lost or changed bytes: the log opens, and returns nothing that was not written.
@Suite struct DamageTests {
  static let seeds = ModelTests.seeds

  @Test(arguments: seeds) func survivesDamage(seed: UInt64) async throws {
    var random = SeededGenerator(seed)
    let original = try await DamagedLog.make(&random)
    for round in 0..<12 {
      var files = original.files
      let damage = Damage.allCases[random.below(Damage.allCases.count)]
      let suffix = random.one(in: 3) ? "-wal" : ""
      files[suffix] = damage.done(to: files[suffix] ?? [], &random)
      let scratch = Scratch(isFast: true)
      try scratch.put(files)
      let place = "seed \(seed) round \(round): \(damage) of '\(suffix)'"
      try await original.check(scratch, place)
    }
  }
}

enum Damage: CaseIterable {
  case truncation, flips, flip, zeroedPage, garbage, emptying, swappedPages, garbageStart, doubling

  func done(to original: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = original
    let page = LogSchema.pageBytes
    guard bytes.count > page * 3 else { return random.bytes(random.below(2 * page)) }
    let pages = bytes.count / page
    switch self {
    case .truncation: bytes.removeLast(random.below(bytes.count))
    case .flip: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
    case .flips: for _ in 0...random.below(200) { bytes[random.below(bytes.count)] ^= UInt8(1 + random.below(255)) }
    case .zeroedPage:
      let start = random.below(pages) * page
      for index in start..<start + page { bytes[index] = 0 }
    case .garbage: bytes = random.bytes(random.below(bytes.count * 2))
    case .emptying: bytes = []
    case .swappedPages:
      let (left, right) = (random.below(pages) * page, random.below(pages) * page)
      for index in 0..<page { bytes.swapAt(left + index, right + index) }
    case .garbageStart: bytes.replaceSubrange(0..<page, with: random.bytes(page))
    case .doubling: bytes += bytes
    }
    return bytes
  }
}

/// A log with everything that was ever in it.
struct DamagedLog {
  var files: [String: [UInt8]]
  /// The file alone, after the log was closed.
  var closed: [UInt8]
  var live: [UInt64: DiskLogRecord]
  var ever: [UInt64: DiskLogRecord] = [:]
  var notes: [[UInt8]]
  var lastNotes: [String: [UInt8]]

  static func make(_ random: inout SeededGenerator) async throws -> DamagedLog {
    let scratch = Scratch(isFast: true)
    let camera = CrashCamera(path: scratch.file, seed: random.next(), oneIn: 1000)
    var tuning = DiskLogTuning.small
    tuning.walPagesMax = 60
    tuning.probe = { camera.see($0) }
    let log = try scratch.open(tuning)
    var model = LogModel()
    var ever: [UInt64: DiskLogRecord] = [:]
    var notes: [[UInt8]] = []
    for _ in 0..<60 {
      var transaction = model.transaction(&random)
      transaction.removals.removeAll { $0.upperBound == .max }
      _ = try await log.commit(transaction).get()
      _ = model.apply(transaction)
      ever.merge(model.records) { $1 }
      notes += transaction.notes.values
    }
    camera.wantsLast = true
    _ = try await log.read([])
    await log.close()
    let closed = FileManager.default.contents(atPath: scratch.file).map { [UInt8]($0) } ?? []
    return DamagedLog(
      files: camera.last?.files ?? [:], closed: closed, live: model.records, ever: ever, notes: notes,
      lastNotes: model.notes)
  }

  @discardableResult
  func check(_ scratch: Scratch, _ place: String) async throws -> DiskLogOpening {
    let log = try scratch.open()
    let opening = log.opening
    let found = try log.records
    let isKnown = found.allSatisfy { ever[$0.key] == $0.value }
    #expect(isKnown, "\(place): a record nobody wrote")
    let areListed = try log.entries.allSatisfy { found[$0.address] != nil }
    #expect(areListed, "\(place)")
    #expect(log.usedBytes == found.values.reduce(0) { $0 + $1.bytes }, "\(place)")
    for name in ModelRun.names {
      let note = try log.note(name)
      #expect(note.map { notes.contains($0) } ?? true, "\(place)")
    }
    // And it works on.
    let address = try await log.append(DiskLogRecord("after")).lowerBound
    #expect(found[address] == nil && address > found.keys.max() ?? 0, "\(place)")
    if let oldest = found.keys.min() { try await log.remove(oldest...oldest) }
    await log.close()
    let again = try scratch.open()
    #expect(again.opening.wasSetAside.isEmpty && again.identity == log.identity, "\(place)")
    #expect(try again.records[address] == DiskLogRecord("after"), "\(place)")
    await again.close()
    let aside = scratch.names.filter { $0.contains(".damaged-") && !$0.hasSuffix("-wal") }
    #expect(aside.map { scratch.path + "/" + $0 } == opening.wasSetAside, "\(place)")
    #expect(log.counters.damagedFiles == opening.wasSetAside.count, "\(place)")
    return opening
  }
}
