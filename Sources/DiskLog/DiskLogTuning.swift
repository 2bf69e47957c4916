/// What tests turn and users do not.
struct DiskLogTuning: Sendable {
  /// SQLite's page cache.
  var cacheKiB = 8192
  /// The file's cap in pages: a full disk, without filling one.
  var maxPages: Int?
  /// The WAL is copied into the file when it has grown past so many pages.
  var walPagesMax = 2048
  /// At most so much is put in one SQLite transaction; a larger transaction stands alone.
  var groupBytesMax = 16 << 20
  var groupCountMax = 4096
  /// The file grows and shrinks in steps of so much.
  var stepBytes = 1 << 20
  /// The WAL is never shorter; removals go through on a full disk as far as they fit in.
  var walRoomBytes = 2 << 20
  /// Free pages are given back when there are more than this and they are more than a quarter of the file.
  var freePagesMax = 1024
  /// Pages that are given back in one step.
  var vacuumPages = 256
  /// Called on the writer's thread, to look at the files as a crash would leave them.
  var probe: (@Sendable (Moment) -> Void)?

  enum Moment: Sendable {
    case beforeCommit
    case afterCommit
    case afterCompletions
    case beforeCheckpoint
    case afterCheckpoint
  }
}
