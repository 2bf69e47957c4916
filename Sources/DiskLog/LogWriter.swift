internal import Dispatch
internal import GRDB
internal import Synchronization

/// Everything that happens on the log's own queue: turns of one group each, and between them what keeps the file small.
final class LogWriter: Sendable {
  let file: LogFile
  /// Behind the file, so that it stays locked until the file is closed.
  private let directory: LogDirectory
  private let tuning: DiskLogTuning
  private let submissions: Mutex<Submissions>
  private let place: Mutex<LogPlace>
  private let counted: Mutex<DiskLogCounters>
  private let used: Atomic<Int>
  /// When the disk was last found full, on the monotonic clock; 0: not.
  private let fullAt = Atomic<UInt64>(0)
  private let isVacuuming = Atomic<Bool>(false)

  init(
    _ opened: LogOpener.Opened, _ opener: LogOpener, maxBytes: Int, _ tuning: DiskLogTuning
  ) {
    let opening = opener.opening
    file = opened.file
    directory = opener.directory
    self.tuning = tuning
    submissions = Mutex(Submissions(usedBytes: opening.bytes, maxBytes: maxBytes))
    place = Mutex(opened.place)
    used = Atomic(opening.bytes)
    var counters = DiskLogCounters()
    counters.damagedFiles = opening.wasSetAside.count
    counters.damagedRecords = opener.damagedRecords
    counted = Mutex(counters)
  }

  var usedBytes: Int { used.load(ordering: .relaxed) }
  var counters: DiskLogCounters { counted.withLock { $0 } }
  var isClosed: Bool { submissions.withLock { $0.isClosed } }

  /// Whether the disk was full when it was last tried, less than a second ago: a hint that lets a try through now and then.
  var isDiskFull: Bool {
    let at = fullAt.load(ordering: .relaxed)
    return at != 0 && DispatchTime.now().uptimeNanoseconds &- at < 1_000_000_000
  }

  func submit(_ body: @Sendable (inout Submissions) -> Bool) {
    if submissions.withLock({ body(&$0) }) { file.queue.asyncWriteWithoutTransaction { self.takeTurn($0) } }
  }

  private func takeTurn(_ db: Database) {
    let group = submissions.withLock { $0.take(bytesMax: tuning.groupBytesMax, countMax: tuning.groupCountMax) }
    if case .close(let completion)? = group.first {
      close(db, completion)
    } else {
      settle(group, db)
      tuning.probe?(.afterCompletions)
      keepSmall(db)
    }
    if submissions.withLock({ $0.rest() }) { file.queue.asyncWriteWithoutTransaction { self.takeTurn($0) } }
  }

  /// Commits a group and answers it; when that fails, each for itself, so that one that cannot be done takes no other
  /// with it.
  private func settle(_ group: [Submission], _ db: Database) {
    do {
      try settle(group[...], db)
    } catch {
      guard error == .full || group.count > 1 else { return fail(group[0], error) }
      for index in group.indices { settleAlone(group[index...index], db) }
    }
  }

  private func settleAlone(_ one: ArraySlice<Submission>, _ db: Database) {
    do {
      do { try settle(one, db) } catch DiskLogFault.full {
        // Begun anew, the WAL has room also when the disk has none.
        try? checkpoint(db)
        try settle(one, db)
      }
    } catch {
      for submission in one { fail(submission, DiskLogFault(error)) }
    }
  }

  private func settle(_ group: ArraySlice<Submission>, _ db: Database) throws(DiskLogFault) {
    var commit = GroupCommit(place.withLock { $0 })
    try commit.run(group, db, file, tuning)
    take(over: commit, promised: group.reduce(0) { $0 + $1.appendedBytes })
    if commit.counters.appendedRecords > 0 { fullAt.store(0, ordering: .relaxed) }
    let refused = group.count { if case .refused(.full, _) = $0 { true } else { false } }
    if refused > 0 { counted.withLock { $0.refused += refused } }
    for (submission, answer) in zip(group, commit.answers) { submission.answer(answer) }
    remove(damaged: commit.damaged, db)
  }

  private func fail(_ submission: Submission, _ fault: DiskLogFault) {
    if fault == .full { fullAt.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed) }
    counted.withLock { if fault == .full { $0.refused += 1 } else { $0.failures += 1 } }
    submissions.withLock { $0.settle(promised: submission.appendedBytes, used: 0) }
    submission.answer(.failed(fault))
  }

  private func take(over commit: GroupCommit, promised: Int) {
    place.withLock { $0 = commit.place }
    submissions.withLock {
      $0.settle(promised: promised, used: commit.usedDelta)
      used.store($0.usedBytes, ordering: .relaxed)
    }
    counted.withLock { $0.add(commit.counters) }
  }

  /// Removes records whose checksum is wrong. If that fails they are found again.
  func remove(damaged: [Int64], _ db: Database) {
    guard !damaged.isEmpty else { return }
    counted.withLock { $0.damagedRecords += damaged.count }
    var commit = GroupCommit(place.withLock { $0 })
    do { try commit.remove(damaged: damaged, db) } catch { return }
    take(over: commit, promised: 0)
  }

  // MARK: - Keeping the file small

  private func checkpoint(_ db: Database) throws {
    tuning.probe?(.beforeCheckpoint)
    try file.checkpoint(db, walPagesMax: tuning.walPagesMax)
    tuning.probe?(.afterCheckpoint)
  }

  /// After the answers, so that nobody waits for it who came before. What fails is tried again in a later turn.
  private func keepSmall(_ db: Database) {
    if file.walPages > tuning.walPagesMax { try? checkpoint(db) }
    guard submissions.withLock({ $0.waiting.isEmpty }), (try? vacuum(db)) ?? false else { return }
    submit { $0.submit(.read([], { _ in })) }
  }

  /// Gives a few free pages back. Begins when more is free than is used, ends at half of that; true when not at its end.
  private func vacuum(_ db: Database) throws -> Bool {
    let free = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA freelist_count")) ?? 0
    let pages = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA page_count")) ?? 0
    let much = tuning.freePagesMax + pages - free
    let isVacuuming = free > (self.isVacuuming.load(ordering: .relaxed) ? much / 2 : much)
    let ended = !isVacuuming && self.isVacuuming.load(ordering: .relaxed)
    self.isVacuuming.store(isVacuuming, ordering: .relaxed)
    if isVacuuming { try file.vacuum(db, pages: tuning.vacuumPages) }
    // The file's length follows with the checkpoint.
    if ended { try checkpoint(db) }
    return isVacuuming
  }

  // MARK: - Closing

  /// Everything submitted before was answered. A connection cannot be closed on its own queue, so the rest happens on
  /// another.
  private func close(_ db: Database, _ completion: @escaping @Sendable () -> Void) {
    try? file.settle(db)
    DispatchQueue.global().async {
      try? self.file.close()
      self.directory.release()
      completion()
    }
  }
}

extension DiskLogCounters {
  mutating func add(_ other: DiskLogCounters) {
    commits += other.commits
    transactions += other.transactions
    appendedRecords += other.appendedRecords
    appendedBytes += other.appendedBytes
    removedRecords += other.removedRecords
  }
}
