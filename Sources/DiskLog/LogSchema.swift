internal import GRDB

/// What a log's SQLite file looks like.
///
/// `record` is the hot table: an ascending integer key and nothing else to keep up to date. `ledger` has one row: the
/// identity, how often the file was opened, and a lower bound of the next address, which is written only when the record
/// with the highest address goes; else the next address follows from that record.
enum LogSchema {
  /// "LSLG", at the place where SQLite and file(1) look for an application's number.
  static let applicationID: Int64 = 0x4c53_4c47
  /// A file under construction has version 0.
  static let version: Int64 = 1
  /// Larger pages mean fewer overflow pages for a batch; smaller ones less to write for a small record.
  static let pageBytes = 8192

  /// SQLite's limit of a row is 1 000 000 000 bytes, in its usual build.
  static let rowBytesMax = 999_000_000

  static let tables = [
    """
    CREATE TABLE ledger(id INTEGER PRIMARY KEY, identity BLOB NOT NULL, epoch INTEGER NOT NULL, next INTEGER NOT NULL, \
    sum INTEGER NOT NULL)
    """,
    """
    CREATE TABLE note(id INTEGER PRIMARY KEY, name TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL, \
    sum INTEGER NOT NULL)
    """,
    """
    CREATE TABLE record(address INTEGER PRIMARY KEY, kind INTEGER NOT NULL, header BLOB NOT NULL, \
    payload_bytes INTEGER NOT NULL, payload_sum INTEGER NOT NULL, sum INTEGER NOT NULL, payload BLOB NOT NULL)
    """,
  ]

  /// Runs before anything is read. In exclusive mode the index of the WAL lies in memory, not in a file.
  static func configure(_ db: Database, _ tuning: DiskLogTuning) throws {
    try db.execute(
      sql: """
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA page_size = \(pageBytes);
        PRAGMA auto_vacuum = INCREMENTAL;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA secure_delete = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -\(tuning.cacheKiB);
        """)
    if let pages = tuning.maxPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
  }

  static func create(_ db: Database) throws {
    try db.execute(sql: "PRAGMA application_id = \(applicationID)")
    for table in tables { try db.execute(sql: table) }
  }

  /// The last step of construction.
  static func complete(_ db: Database) throws { try db.execute(sql: "PRAGMA user_version = \(version)") }

  /// Whether this is a complete file of ours whose trees are in order. Throws what SQLite throws on a damaged one.
  static func isSound(_ db: Database) throws -> Bool {
    guard try Int64.fetchOne(db, sql: "PRAGMA application_id") == applicationID,
      try Int64.fetchOne(db, sql: "PRAGMA user_version") == version
    else { return false }
    return try String?.fetchAll(db, sql: "SELECT sql FROM sqlite_master ORDER BY rowid") == tables
      && String?.fetchAll(db, sql: "PRAGMA quick_check(1)") == ["ok"]
  }
}
