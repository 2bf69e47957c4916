/// What a log did since it was opened.
public struct DiskLogCounters: Sendable, Equatable {
  /// SQLite transactions that were committed, each with one synchronisation of the disk.
  public internal(set) var commits = 0
  /// Transactions of callers that these held.
  public internal(set) var transactions = 0
  /// Records appended.
  public internal(set) var appendedRecords = 0
  /// Their bytes (headers and payloads).
  public internal(set) var appendedBytes = 0
  /// Records removed, damaged ones included.
  public internal(set) var removedRecords = 0
  /// Transactions refused for want of room: the cap's or the disk's.
  public internal(set) var refused = 0
  /// Transactions and reads that failed for another reason.
  public internal(set) var failures = 0
  /// Files that were set aside.
  public internal(set) var damagedFiles = 0
  /// Records with a wrong checksum.
  public internal(set) var damagedRecords = 0
}
