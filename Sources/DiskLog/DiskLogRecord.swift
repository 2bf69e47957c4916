/// What is appended and read back, never looked into.
public struct DiskLogRecord: Sendable, Hashable {
  /// A number whose meaning is the owner's.
  public var kind: UInt8
  /// A few bytes that an index needs; read without the payload.
  public var header: [UInt8]
  /// The bulk; header and payload together have at most 999 000 000 bytes.
  public var payload: [UInt8]

  /// Makes a record.
  public init(kind: UInt8, header: [UInt8], payload: [UInt8]) {
    self.kind = kind
    self.header = header
    self.payload = payload
  }

  /// What it counts against the cap.
  var bytes: Int { header.count + payload.count }
}

/// A record as an index knows it: all but the payload.
public struct DiskLogEntry: Sendable, Equatable {
  /// Where it lies. Addresses grow by one an append and are never used twice.
  public var address: UInt64
  /// The record's kind.
  public var kind: UInt8
  /// The record's header.
  public var header: [UInt8]
  /// The length of its payload.
  public var payloadBytes: Int
}
