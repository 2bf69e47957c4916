/// Why the log did not do what it was asked for. Nothing of the transaction is in the log then.
public enum DiskLogFault: Error, Sendable, Equatable {
  /// No room: the log's own cap, or the disk. It may work later.
  case full
  /// The file or the disk does not work, in a sentence for the operator.
  case broken(String)
  /// The log was closed.
  case closed
}
