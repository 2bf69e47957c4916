internal import GRDB

/// The making of a new file, empty or out of a damaged one.
struct LogDraft {
  private let file: LogFile
  private static let commitBytes = 16 << 20

  init(_ directory: LogDirectory, _ tuning: DiskLogTuning) throws {
    try directory.create(directory.draft)
    file = try LogFile(directory.draft, tuning, isDraft: true)
    try file.queue.inDatabase { try LogSchema.create($0) }
  }

  /// Takes over what can be read of a damaged file.
  func fill(_ salvage: inout Salvage, from path: String) throws {
    try file.queue.inDatabase { db in
      do {
        try db.beginTransaction(.immediate)
        var bytes = 0
        try salvage.run(path) { (address, record) throws(DiskLogFault) in
          do {
            guard try RecordTable.append(db, record, at: address, isUnsure: true) else { return false }
            bytes += record.bytes
            guard bytes >= Self.commitBytes else { return true }
            bytes = 0
            try db.commit()
            try file.checkpoint(db)
            try db.beginTransaction(.immediate)
            return true
          } catch { throw DiskLogFault(error, db) }
        }
        for (name, value) in salvage.lastNotes { try NoteTable.save(db, name, value, version: 0) }
        try db.commit()
      } catch {
        let fault = DiskLogFault(error, db)
        try? db.rollback()
        throw fault
      }
    }
  }

  /// The last steps: from here on it may take the place of the old file.
  func complete(_ ledger: Ledger) throws {
    try file.queue.inDatabase { db in
      try ledger.save(db)
      try LogSchema.complete(db)
    }
    try file.close()
  }

  func close() { try? file.close() }
}
