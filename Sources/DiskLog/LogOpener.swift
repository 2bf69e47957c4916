internal import Foundation
internal import GRDB

/// What stands between a directory and a working log: the check of the file that is there, and the making of a new one,
/// out of what can still be read when the old one is damaged.
///
/// A new file is built beside the old one, under the name of the draft, and takes its place when it is complete. So a
/// crash on the way costs nothing: the old file is still where it was, and is salvaged again.
struct LogOpener {
  let directory: LogDirectory
  let tuning: DiskLogTuning
  var opening = DiskLogOpening()
  /// Records the checks removed.
  var damagedRecords = 0

  init(_ options: DiskLogOptions, _ tuning: DiskLogTuning) throws(DiskLogFault) {
    directory = try LogDirectory(path: options.directory, name: options.name)
    self.tuning = tuning
  }

  struct Opened {
    let file: LogFile
    let place: LogPlace
  }

  mutating func open() throws(DiskLogFault) -> Opened {
    try adoptDraft()
    if directory.length(directory.file) > 0, !hasDamagedWAL, let opened = try openFile() { return opened }
    try rebuild()
    guard let opened = try openFile() else { throw .broken("'\(directory.file)' was just made and is damaged") }
    return opened
  }

  /// SQLite takes a WAL up to the first damaged frame and forgets the rest.
  private var hasDamagedWAL: Bool { PageFile(directory.file + "-wal").map { WALImage($0).isDamaged } ?? false }

  /// A crash may have left a draft: a complete one takes its place, else it goes.
  private mutating func adoptDraft() throws(DiskLogFault) {
    guard directory.exists(directory.draft) else { return }
    let path = directory.draft
    let isComplete: Bool
    do {
      let draft = try LogFile(path, tuning, isDraft: true)
      defer { try? draft.close() }
      isComplete = try draft.queue.inDatabase { try LogSchema.isSound($0) && Ledger.load($0) != nil }
    } catch let error as DatabaseError where error.meansDamage {
      isComplete = false
    } catch {
      throw DiskLogFault(error)
    }
    if isComplete { try replace() } else { try directory.remove(path) }
  }

  private mutating func replace() throws(DiskLogFault) {
    if let aside = try directory.replaceFile() { opening.wasSetAside.append(aside) }
  }

  /// Opens the file and looks at all of it; nil when it is damaged.
  private mutating func openFile() throws(DiskLogFault) -> Opened? {
    do {
      let file = try LogFile(directory.file, tuning)
      do {
        if let opened = try check(file) { return opened }
      } catch let error as DatabaseError where error.meansDamage {}
      try? file.close()
      return nil
    } catch let error as DatabaseError where error.meansDamage {
      return nil
    } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      throw .broken("'\(directory.file)' is in use: another process has it open")
    } catch {
      throw described(error)
    }
  }

  private func described(_ error: any Error) -> DiskLogFault {
    switch DiskLogFault(error) {
    case .broken(let reason): .broken("cannot open '\(directory.file)': \(reason)")
    case let fault: fault
    }
  }

  private mutating func check(_ file: LogFile) throws -> Opened? {
    var found = opening
    var damaged = 0
    let opened: Opened? = try file.queue.inDatabase { db in
      guard try LogSchema.isSound(db), var ledger = try Ledger.load(db) else { return nil }
      let highest =
        try Int64.fetchOne(db, sql: "SELECT max(address) FROM record WHERE address < \(RecordTable.addressMax)") ?? 0
      ledger.next = max(ledger.next, highest + 1)
      ledger.epoch += 1
      let bad = try RecordTable.walk(db, withPayloads: false) { entry, _ in
        found.records += 1
        found.bytes += entry.header.count + entry.payloadBytes
      }
      let isEpochSaved = try begin(ledger, removing: bad, db, file)
      found.epoch = UInt64(ledger.epoch)
      found.lost += bad.count
      damaged = bad.count
      return Opened(file: file, place: LogPlace(ledger, next: ledger.next, isEpochSaved: isEpochSaved))
    }
    guard let opened else { return nil }
    opening = found
    damagedRecords += damaged
    return opened
  }

  /// Writes down that a new epoch begins. It is in the file itself before the first address of this epoch is given, so
  /// that no damage to the WAL can bring the old one back. A full disk is no reason not to open: that is then done with the
  /// first append.
  private func begin(_ ledger: Ledger, removing bad: [Int64], _ db: Database, _ file: LogFile) throws -> Bool {
    for _ in 0..<2 {
      do {
        try db.inTransaction(.immediate) {
          for address in bad { try RecordTable.delete(db, address) }
          try ledger.save(db)
          return .commit
        }
        try file.checkpoint(db)
        return true
      } catch {
        guard DiskLogFault(error, db) == .full else { throw error }
        // Begun anew, a WAL that a crash left has room.
        try? file.checkpoint(db)
      }
    }
    return false
  }

  /// Makes a new file of what the old one still tells, if there is an old one.
  private mutating func rebuild() throws(DiskLogFault) {
    do {
      let draft = try LogDraft(directory, tuning)
      defer { draft.close() }
      var ledger = Ledger.fresh()
      if directory.exists(directory.file) || directory.exists(directory.file + "-wal") {
        var salvage = Salvage()
        try draft.fill(&salvage, from: directory.file)
        opening.salvaged = salvage.records
        opening.lost = salvage.lost
        ledger = salvage.ledger
      }
      try draft.complete(ledger)
    } catch {
      throw described(error)
    }
    try replace()
  }
}
