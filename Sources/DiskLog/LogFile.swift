internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Synchronization

/// An open SQLite file and its serial queue, which is the log's own thread.
final class LogFile: Sendable {
  let queue: DatabaseQueue
  private let wal = WALPages()

  /// Opens a file, which must exist. What SQLite reads on the way may be damaged: that is thrown as it is.
  init(_ path: String, _ tuning: DiskLogTuning) throws {
    var configuration = Configuration()
    configuration.label = "longspan.disklog"
    configuration.foreignKeysEnabled = false
    let wal = wal
    configuration.prepareDatabase { db in
      try LogSchema.configure(db, tuning)
      wal.watch(db)
    }
    queue = try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Pages in the WAL that are not in the file yet.
  var walPages: Int { wal.count.load(ordering: .relaxed) }

  /// Copies the WAL into the file, so that the next commit begins it anew. Its length stays, so that removals find room in
  /// it when the disk has none.
  func checkpoint(_ db: Database) throws {
    try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
    wal.count.store(0, ordering: .relaxed)
  }

  func close() throws { try queue.close() }
}

/// SQLite tells after each commit how long the WAL is.
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
