// DiskLog: an append-only log of records on disk, in one SQLite file through GRDB. The relay's sending queue and the
// aggregator's journal are such logs.
//
// Owns: the files of one directory, the addresses of records, what is on the disk when, what happens to a damaged file.
// Never: what a record means, when it is removed, retries. A transaction comes in, its completion goes out when it is on
// the disk; at start-up `index` and `replay` tell what is there.
//
// On disk: NAME.sqlite with three tables (see `LogSchema`), its WAL, and NAME.lock, which is held while the log is open.
// Every record carries a checksum of itself and its address. NAME.sqlite.damaged-N are files that were set aside.
//
// What waits for the writer is bounded by those who wait: each submission has a completion, and its caller must not go on
// for ever without one. Appends past the cap are refused before they wait.

internal import Foundation
internal import GRDB
internal import Synchronization

/// An append-only log of records with addresses, named values beside them, and transactions over both.
///
/// All methods may be called from any thread; completions are called on the log's own, in the order of submission, and
/// should be short. A log that is dropped without `close` is as after a crash: all that was answered is there.
public final class DiskLog: Sendable {
  /// Which log this is.
  public let identity: DiskLogIdentity
  /// What was found when it was opened.
  public let opening: DiskLogOpening

  private let writer: LogWriter
  private let maxBytes: Int

  /// Opens the log of a directory, or makes it. A damaged file is set aside and what can be read of it taken over.
  /// Throws `.broken` with a sentence when the directory cannot be used or another process uses it, `.full` when there is
  /// no room for a new file.
  public static func open(_ options: DiskLogOptions) throws(DiskLogFault) -> DiskLog {
    try open(options, DiskLogTuning())
  }

  static func open(_ options: DiskLogOptions, _ tuning: DiskLogTuning) throws(DiskLogFault) -> DiskLog {
    var opener = try LogOpener(options, tuning)
    let opened = try opener.open()
    return DiskLog(opened, opener, options, tuning)
  }

  private init(_ opened: LogOpener.Opened, _ opener: LogOpener, _ options: DiskLogOptions, _ tuning: DiskLogTuning) {
    identity = DiskLogIdentity(bytes: opened.place.ledger.identity)
    opening = opener.opening
    writer = LogWriter(opened, opener, maxBytes: options.maxBytes, tuning)
    maxBytes = options.maxBytes
  }

  /// Live bytes (headers and payloads) on the disk.
  public var usedBytes: Int { writer.usedBytes }

  /// Whether an append has little hope now: the cap is reached, or the disk was full less than a second ago. A hint: each
  /// transaction is judged by itself.
  public var isFull: Bool { usedBytes >= maxBytes || writer.isDiskFull }

  /// What it did since it was opened.
  public var counters: DiskLogCounters { writer.counters }

  /// Shows all live entries by address; payloads are not read. Blocks, and what is committed meanwhile waits.
  public func index(_ body: (DiskLogEntry) throws -> Void) throws {
    try walk(withPayloads: false) { entry, _ in try body(entry) }
  }

  /// Shows all live records by address. Blocks, and what is committed meanwhile waits.
  public func replay(_ body: (DiskLogEntry, [UInt8]) throws -> Void) throws {
    try walk(withPayloads: true, body)
  }

  private func walk(withPayloads: Bool, _ body: (DiskLogEntry, [UInt8]) throws -> Void) throws {
    guard !writer.isClosed else { throw DiskLogFault.closed }
    try writer.file.queue.unsafeReentrantWrite { db in
      do {
        writer.remove(damaged: try RecordTable.walk(db, withPayloads: withPayloads, body), db)
      } catch let error as DatabaseError { throw DiskLogFault(error, db) }
    }
  }

  /// A named value as it was last committed, nil where there is none or it is damaged. Blocks.
  public func note(_ name: String) throws(DiskLogFault) -> [UInt8]? {
    guard !writer.isClosed else { throw .closed }
    do { return try writer.file.queue.unsafeReentrantWrite { try NoteTable.load($0, name) } } catch {
      throw DiskLogFault(error)
    }
  }

  /// Commits a transaction. The completion gets the addresses of the appends, once they are on the disk.
  public func commit(
    _ transaction: DiskLogTransaction, completion: @escaping @Sendable (Result<Range<UInt64>, DiskLogFault>) -> Void
  ) {
    writer.submit { $0.submit(transaction, completion) }
  }

  /// Reads records, in the order asked for; those that are not there, or are damaged, are left out. It sees what was
  /// submitted before it and nothing submitted after.
  public func read(
    _ addresses: [UInt64], completion: @escaping @Sendable (Result<[(UInt64, DiskLogRecord)], DiskLogFault>) -> Void
  ) {
    writer.submit { $0.submitRead(addresses, completion) }
  }

  /// Ends it: what was submitted before is done and answered, what comes later is refused as `.closed`. The completion is
  /// called on some other thread when the files are closed and the directory may be opened again.
  public func close(completion: @escaping @Sendable () -> Void) {
    writer.submit { $0.submitClose(completion) }
  }
}
