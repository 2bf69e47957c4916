internal import GRDB
internal import GRDBSQLite
internal import Glibc

/// Room on the disk that is a log's before it is needed.
///
/// On a full disk even a removal has to be written to the WAL first, and a WAL can only begin anew when all it holds was
/// copied into the file. So the file's room is taken before a commit that makes it longer, and the WAL is never shorter
/// than what removals need. Without that a log that filled its disk could never be emptied. A file system that copies on
/// write may still have to be helped by hand.
struct FileRoom: Sendable {
  let path: String
  let tuning: DiskLogTuning

  /// Makes the file grow and shrink in steps.
  func prepare(_ db: Database) {
    var step = Int32(clamping: tuning.stepBytes)
    sqlite3_file_control(db.sqliteConnection, nil, SQLITE_FCNTL_CHUNK_SIZE, &step)
    // Lets the file of the WAL stay when the connection is closed, with the room it has.
    var isKept: Int32 = 1
    sqlite3_file_control(db.sqliteConnection, nil, SQLITE_FCNTL_PERSIST_WAL, &isKept)
  }

  /// Takes room for a file of so many pages, or says that there is none.
  func take(_ db: Database, pages: Int) throws(DiskLogFault) {
    var bytes = Int64(pages * LogSchema.pageBytes)
    guard sqlite3_file_control(db.sqliteConnection, nil, SQLITE_FCNTL_SIZE_HINT, &bytes) == SQLITE_OK else {
      throw .full
    }
  }

  /// Takes the WAL's room. Where there is none, the WAL has to find it when it needs it.
  func takeForWAL() {
    let wal = open(path + "-wal", O_RDWR | O_CLOEXEC)
    guard wal >= 0 else { return }
    _ = posix_fallocate(wal, 0, off_t(tuning.walRoomBytes))
    Glibc.close(wal)
  }
}
