/// Where a log lies and how much it may hold.
public struct DiskLogOptions: Sendable {
  /// The directory of its files; made with mode 0700 where it is missing.
  public var directory: String
  /// The files' stem: `NAME.sqlite` and what SQLite puts beside it.
  public var name: String
  /// The most live bytes (headers and payloads) it holds; `Int.max` for no cap. What SQLite adds is not counted: about 40
  /// bytes a record, and pages that are free.
  public var maxBytes: Int

  /// Names a log.
  public init(directory: String, name: String, maxBytes: Int = .max) {
    self.directory = directory
    self.name = name
    self.maxBytes = maxBytes
  }
}
