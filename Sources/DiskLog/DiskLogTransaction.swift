/// Changes that are on the disk together or not at all: first the removals, then the appends and notes.
public struct DiskLogTransaction: Sendable {
  /// Records to append, in this order.
  public var appends: [DiskLogRecord]
  /// Addresses to remove; those that hold nothing are no error.
  public var removals: [ClosedRange<UInt64>]
  /// Named values, replaced whole: a checkpoint, for instance. They do not count against the cap.
  public var notes: [String: [UInt8]]
  /// Whether it goes in past the log's own cap. The disk's end it cannot pass.
  public var isForced: Bool

  /// Makes a transaction.
  public init(
    appends: [DiskLogRecord] = [], removals: [ClosedRange<UInt64>] = [], notes: [String: [UInt8]] = [:],
    isForced: Bool = false
  ) {
    self.appends = appends
    self.removals = removals
    self.notes = notes
    self.isForced = isForced
  }

  /// What its appends count against the cap.
  var appendedBytes: Int { appends.reduce(0) { $0 + $1.bytes } }
  /// What it holds in memory while it waits, about.
  var waitingBytes: Int { appendedBytes + notes.values.reduce(0) { $0 + $1.count } }
}
