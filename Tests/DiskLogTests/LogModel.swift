import TestKit

@testable import DiskLog

/// What a log must hold, in memory.
struct LogModel: Equatable {
  var records: [UInt64: DiskLogRecord] = [:]
  var notes: [String: [UInt8]] = [:]
  var next: UInt64 = 1

  var usedBytes: Int { records.values.reduce(0) { $0 + $1.bytes } }

  /// Applies a transaction that succeeded; gives the addresses it must have got.
  mutating func apply(_ transaction: DiskLogTransaction) -> Range<UInt64> {
    for range in transaction.removals { records = records.filter { !range.contains($0.key) } }
    let first = next
    for record in transaction.appends {
      records[next] = record
      next += 1
    }
    notes.merge(transaction.notes) { $1 }
    return first..<next
  }

  /// A random transaction that has something to do with what is there.
  func transaction(_ random: inout SeededGenerator) -> DiskLogTransaction {
    var transaction = DiskLogTransaction(isForced: random.one(in: 10))
    if !random.one(in: 3) {
      for _ in 0...random.below(4) {
        let bytes = random.one(in: 8) ? random.below(40_000) : random.below(300)
        transaction.appends.append(
          DiskLogRecord(
            kind: UInt8(random.below(256)), header: random.bytes(random.below(20)), payload: random.bytes(bytes)))
      }
    }
    if !random.one(in: 3) {
      for _ in 0...random.below(3) {
        let lower = UInt64(random.below(Int(next) + 3))
        let length = random.one(in: 6) ? random.below(20) : random.below(2)
        transaction.removals.append(lower...lower + UInt64(length))
      }
      // Often the newest, or everything: then only the ledger knows which address is next.
      if random.one(in: 6) { transaction.removals.append(next - 1...next - 1) }
      if random.one(in: 15) { transaction.removals = [0...UInt64.max] }
    }
    if random.one(in: 4) {
      transaction.notes["note\(random.below(3))"] = random.bytes(random.one(in: 10) ? 20_000 : random.below(50))
    }
    return transaction
  }
}

extension DiskLog {
  /// All of a log as a model; the address that comes next is found out by an append.
  func model(notes names: some Sequence<String>) async throws -> LogModel {
    var model = LogModel()
    model.records = try records
    for name in names { model.notes[name] = try note(name) }
    model.next = try await commit(DiskLogTransaction(appends: [DiskLogRecord("probe")], isForced: true)).get()
      .lowerBound
    return model
  }
}
