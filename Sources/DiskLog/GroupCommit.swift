internal import GRDB

/// Where the writer stands: what the file's ledger says and which address comes next.
struct LogPlace: Sendable {
  var ledger: Ledger
  var next: Int64
  /// The version of the note that was saved last. Each epoch has its own, above all earlier ones.
  var noteVersion: Int64
  /// Whether the file knows of this epoch: the disk may have been full when the log was opened.
  var isEpochSaved: Bool

  init(_ ledger: Ledger, next: Int64, isEpochSaved: Bool) {
    self.ledger = ledger
    self.isEpochSaved = isEpochSaved
    self.next = next
    noteVersion = ledger.epoch << 32
  }
}

/// Puts submissions in one SQLite transaction, in their order. Its figures are taken over only when it was committed.
struct GroupCommit {
  private(set) var place: LogPlace
  private(set) var answers: [SubmissionAnswer] = []
  private(set) var usedDelta = 0
  private(set) var counters = DiskLogCounters()
  /// Whether there is more than removals.
  private var mayGrow = false
  /// Addresses of records that reads found damaged.
  private(set) var damaged: [Int64] = []

  init(_ place: LogPlace) { self.place = place }

  /// Applies all of them and commits, or throws and leaves nothing behind.
  mutating func run(
    _ group: some Collection<Submission>, _ db: Database, _ file: LogFile, _ tuning: DiskLogTuning
  ) throws(DiskLogFault) {
    do {
      let writes = group.contains { if case .transaction = $0 { true } else { false } }
      if writes { try db.beginTransaction(.immediate) }
      for submission in group { answers.append(try apply(submission, db)) }
      if writes {
        if mayGrow { try file.takeRoom(db) }
        tuning.probe?(.beforeCommit)
        try db.commit()
        counters.commits += 1
        tuning.probe?(.afterCommit)
      }
    } catch {
      let fault = DiskLogFault(error, db)
      try? db.rollback()
      throw fault
    }
  }

  /// Removes damaged records.
  mutating func remove(damaged addresses: [Int64], _ db: Database) throws {
    try db.inTransaction {
      for address in addresses { try remove(address...address, db) }
      return .commit
    }
  }

  private mutating func apply(_ submission: Submission, _ db: Database) throws -> SubmissionAnswer {
    switch submission {
    case .transaction(let transaction, let bytes, _):
      return .committed(try apply(transaction, appendedBytes: bytes, db))
    case .read(let addresses, _): return .found(try read(addresses, db))
    case .refused(let fault, _): return .failed(fault)
    case .refusedRead: return .failed(.closed)
    case .close: return .found([])
    }
  }

  private mutating func apply(
    _ transaction: DiskLogTransaction, appendedBytes: Int, _ db: Database
  ) throws -> Range<UInt64> {
    for range in transaction.removals {
      guard let lower = Int64(exactly: range.lowerBound) else { continue }
      try remove(lower...Int64(clamping: range.upperBound), db)
    }
    guard place.next <= RecordTable.addressMax - Int64(transaction.appends.count) else {
      throw DiskLogFault.broken("the log has no addresses left")
    }
    let longest = max(transaction.appends.map(\.bytes).max() ?? 0, transaction.notes.values.map(\.count).max() ?? 0)
    guard longest <= LogSchema.rowBytesMax else { throw DiskLogFault.broken("a record is longer than SQLite allows") }
    if !transaction.appends.isEmpty || !transaction.notes.isEmpty { mayGrow = true }
    if !place.isEpochSaved, !transaction.appends.isEmpty {
      try place.ledger.save(db)
      place.isEpochSaved = true
    }
    let first = place.next
    for record in transaction.appends {
      try RecordTable.append(db, record, at: place.next)
      place.next += 1
    }
    for (name, value) in transaction.notes {
      place.noteVersion += 1
      try NoteTable.save(db, name, value, version: place.noteVersion)
    }
    usedDelta += appendedBytes
    counters.transactions += 1
    counters.appendedRecords += transaction.appends.count
    counters.appendedBytes += appendedBytes
    return UInt64(first)..<UInt64(place.next)
  }

  private mutating func remove(_ range: ClosedRange<Int64>, _ db: Database) throws {
    let (records, bytes) = try RecordTable.remove(db, range)
    usedDelta -= bytes
    counters.removedRecords += records
    guard records > 0, range.contains(place.next - 1), place.ledger.next < place.next else { return }
    // The record that told the next address is gone; from now on the ledger tells it.
    place.ledger.next = place.next
    try place.ledger.save(db)
  }

  private mutating func read(_ addresses: [UInt64], _ db: Database) throws -> [(UInt64, DiskLogRecord)] {
    var found: [(UInt64, DiskLogRecord)] = []
    for address in addresses {
      guard let key = Int64(exactly: address) else { continue }
      switch try RecordTable.read(db, key) {
      case .found(let record): found.append((address, record))
      case .missing: break
      case .damaged: damaged.append(key)
      }
    }
    return found
  }
}
