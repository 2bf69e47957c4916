internal import GRDB
internal import GRDBSQLite
internal import Glibc

extension DiskLogFault {
  /// An error of SQLite's as the log's. Ask before anything else happens on the connection: it remembers `errno`.
  init(_ error: any Error, _ db: Database? = nil) {
    // SQLite does not keep the reason when it is COMMIT that fails.
    let last = errno
    switch error {
    case let fault as DiskLogFault: self = fault
    case let error as DatabaseError:
      let told = db.map { sqlite3_system_errno($0.sqliteConnection) } ?? 0
      let isRoom = [ENOSPC, EDQUOT, EFBIG].contains(told != 0 ? told : last)
      if error.resultCode == .SQLITE_FULL || (error.extendedResultCode == .SQLITE_IOERR_WRITE && isRoom) {
        self = .full
      } else {
        let reason = error.resultCode == .SQLITE_IOERR && told != 0 ? ": \(String(cString: strerror(told)))" : ""
        self = .broken("SQLite: \(error.message ?? "no message")\(reason) (code \(error.extendedResultCode.rawValue))")
      }
    default: self = .broken("unexpected: \(type(of: error))")
    }
  }
}

extension DatabaseError {
  /// Whether it speaks of the file's bytes, and not of the disk, the rights or another process.
  var meansDamage: Bool {
    switch resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_ERROR, .SQLITE_SCHEMA, .SQLITE_MISMATCH,
      .SQLITE_TOOBIG, .SQLITE_CONSTRAINT, .SQLITE_RANGE, .SQLITE_NOTFOUND, .SQLITE_PROTOCOL:
      true
    case .SQLITE_IOERR:
      [.SQLITE_IOERR_READ, .SQLITE_IOERR_SHORT_READ].contains(extendedResultCode)
        || extendedResultCode.rawValue == Self.corruptFileSystem
    default: false
    }
  }

  /// SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_DATA
  private static let corruptFileSystem: Int32 = 10 | 33 << 8
}
