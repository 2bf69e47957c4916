internal import Foundation
internal import GRDB

/// Reads out of a damaged file what can still be read, into a new one.
///
/// Only what the file's own tables lead to is taken, never free pages: what was removed stays removed. A stretch of
/// addresses that cannot be read is entered from both ends and then halved, so that one bad page costs the records that
/// lie on it and no others.
struct Salvage {
  private(set) var records = 0
  /// Records with a wrong checksum, and stretches that could not be read.
  private(set) var lost = 0
  /// The highest address seen or promised.
  private var highest: Int64 = 0
  private var unreadable: [ClosedRange<Int64>] = []
  /// A file can be so damaged that each try ends at once; so many are made.
  private var triesLeft = 20_000
  private var bytesUncommitted = 0
  /// A salvaged log gives addresses far above those that may have been lost.
  private static let leap: Int64 = 1 << 32
  private static let commitBytes = 16 << 20

  /// Fills a new file, out of a damaged one if there is one. What the source throws is damage and is passed over; what the new file throws ends it.
  mutating func fill(_ draft: LogFile, from path: String?, _ tuning: DiskLogTuning) throws {
    guard let path, let source = open(path, tuning) else {
      if path != nil { lost += 1 }
      return try draft.queue.inDatabase { try Ledger.fresh().save($0) }
    }
    defer { try? source.close() }
    try source.queue.inDatabase { source in
      try draft.queue.inDatabase { draft in
        highest = (try? Ledger.load(source))?.next ?? 0
        try draft.beginTransaction(.immediate)
        do {
          try copyRecords(from: source, to: draft)
          try copyNotes(from: source, to: draft)
          try Ledger.fresh(next: min(highest, RecordTable.addressMax - Self.leap) + Self.leap).save(draft)
          try draft.commit()
        } catch {
          let fault = DiskLogFault(error, draft)
          try? draft.rollback()
          throw fault
        }
      }
    }
    lost += stretches
  }

  private func open(_ path: String, _ tuning: DiskLogTuning) -> LogFile? {
    var tuning = tuning
    tuning.maxPages = nil
    return try? LogFile(path, tuning)
  }

  /// Unreadable ranges that touch are one.
  private var stretches: Int {
    var count = 0
    var end: Int64?
    for range in unreadable.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if end.map({ $0 + 1 < range.lowerBound }) ?? true { count += 1 }
      end = max(end ?? 0, range.upperBound)
    }
    return count
  }

  private mutating func copyRecords(from source: Database, to draft: Database) throws {
    var ranges: [ClosedRange<Int64>] = [0...RecordTable.addressMax]
    while let range = ranges.popLast() {
      guard triesLeft > 0 else {
        unreadable.append(range)
        continue
      }
      var lower = range.lowerBound
      var upper = range.upperBound
      if try copy(range, "ASC", from: source, to: draft, reached: { lower = $0 + 1 }) { continue }
      guard lower <= upper else { continue }
      if try copy(lower...upper, "DESC", from: source, to: draft, reached: { upper = $0 - 1 }) { continue }
      guard lower <= upper else { continue }
      triesLeft -= 1
      guard lower < upper else {
        unreadable.append(lower...upper)
        continue
      }
      let middle = lower + (upper - lower) / 2
      ranges.append(middle + 1...upper)
      ranges.append(lower...middle)
    }
  }

  /// Copies a range in one direction; false when it ended at something unreadable.
  private mutating func copy(
    _ range: ClosedRange<Int64>, _ direction: String, from source: Database, to draft: Database,
    reached: (Int64) -> Void
  ) throws -> Bool {
    let sql = """
      SELECT \(RecordTable.columns), payload FROM record WHERE address BETWEEN ? AND ? ORDER BY address \(direction)
      """
    guard let statement = try? source.cachedStatement(sql: sql),
      let rows = try? Row.fetchCursor(statement, arguments: [range.lowerBound, range.upperBound])
    else { return false }
    var last: Int64?
    while true {
      let row: Row
      do {
        guard let next = try rows.next() else { return true }
        row = next
      } catch { return false }
      guard let address = Int64.fromDatabaseValue(row[0]), range.contains(address) else { return false }
      // A damaged tree may lead in circles.
      if let last, direction == "ASC" ? address <= last : address >= last { return false }
      last = address
      reached(address)
      highest = max(highest, address)
      guard let head = (try? RecordRow(row)) ?? nil, let payload = (try? head.payload(row)) ?? nil else {
        lost += 1
        continue
      }
      try keep(DiskLogRecord(kind: head.entry.kind, header: head.entry.header, payload: payload), address, draft)
    }
  }

  private mutating func keep(_ record: DiskLogRecord, _ address: Int64, _ draft: Database) throws {
    guard try RecordTable.append(draft, record, at: address, isUnsure: true) else { return }
    records += 1
    bytesUncommitted += record.bytes
    guard bytesUncommitted >= Self.commitBytes else { return }
    bytesUncommitted = 0
    try draft.commit()
    try draft.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
    try draft.beginTransaction(.immediate)
  }

  private mutating func copyNotes(from source: Database, to draft: Database) throws {
    guard let names = try? NoteTable.names(source) else {
      lost += 1
      return
    }
    for name in names {
      guard let value = (try? NoteTable.load(source, name)) ?? nil else {
        lost += 1
        continue
      }
      try NoteTable.save(draft, name, value)
    }
  }
}
