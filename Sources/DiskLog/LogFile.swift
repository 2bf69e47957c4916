internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Synchronization

/// An open SQLite file and its serial queue, which is the log's own thread.
final class LogFile: Sendable {
  let queue: DatabaseQueue
  private let wal = WALPages()

  /// Room on the disk; nil for a draft, which is there for a short time.
  private let room: FileRoom?

  /// Opens a file, which must exist. What SQLite reads on the way may be damaged: that is thrown as it is.
  init(_ path: String, _ tuning: DiskLogTuning, isDraft: Bool = false) throws {
    var configuration = Configuration()
    configuration.label = "longspan.disklog"
    configuration.foreignKeysEnabled = false
    let wal = wal
    let room = isDraft ? nil : FileRoom(path: path, tuning: tuning)
    self.room = room
    configuration.prepareDatabase { db in
      try LogSchema.configure(db, tuning)
      wal.watch(db)
      room?.prepare(db)
    }
    queue = try DatabaseQueue(path: path, configuration: configuration)
    room?.takeForWAL()
  }

  /// Pages in the WAL that are not in the file yet.
  var walPages: Int { wal.count.load(ordering: .relaxed) }

  /// Copies the WAL into the file, so that the next commit begins it anew. Its length stays, so that removals find room in
  /// it when the disk has none, unless a large transaction made it far too long.
  func checkpoint(_ db: Database, walPagesMax: Int = .max) throws {
    let isLong = walPages / 4 > walPagesMax
    try db.execute(sql: "PRAGMA wal_checkpoint(\(isLong ? "TRUNCATE" : "PASSIVE"))")
    wal.count.store(0, ordering: .relaxed)
    if isLong { room?.takeForWAL() }
  }

  /// Before a commit: takes the room the file will need, so that the WAL can always be copied into it.
  func takeRoom(_ db: Database) throws {
    guard let room else { return }
    let pages = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA page_count")) ?? 0
    try room.take(db, pages: pages)
  }

  /// Gives free pages back; the file's length follows with the next checkpoint.
  func vacuum(_ db: Database, pages: Int) throws {
    try db.execute(sql: "PRAGMA incremental_vacuum(\(pages))")
  }

  /// The last thing before `close`: an empty WAL, with its room.
  func settle(_ db: Database) throws {
    try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
    room?.takeForWAL()
  }

  func close() throws { try queue.close() }
}

/// What SQLite tells and is told about the WAL beside SQL.
private final class WALPages: Sendable {
  let count = Atomic<Int>(0)

  func watch(_ db: Database) {
    // SAFETY: `LogFile` owns this object and the connection, and the connection is closed first or with it.
    let context = Unmanaged.passUnretained(self).toOpaque()
    sqlite3_wal_hook(
      db.sqliteConnection,
      { context, _, _, pages in
        guard let context else { return SQLITE_OK }
        Unmanaged<WALPages>.fromOpaque(context).takeUnretainedValue().count.store(Int(pages), ordering: .relaxed)
        return SQLITE_OK
      }, context)
  }
}
