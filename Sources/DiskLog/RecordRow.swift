internal import Foundation
internal import GRDB

/// A row of `record` whose head was checked.
struct RecordRow {
  let entry: DiskLogEntry
  private let payloadSum: Int64

  /// Reads the columns `RecordTable.columns`; nil when they are not what was written.
  init?(_ row: Row) throws {
    guard let address = Int64.fromDatabaseValue(row[0]), let kind = Int64.fromDatabaseValue(row[1]),
      let payloadBytes = Int64.fromDatabaseValue(row[3]), let payloadSum = Int64.fromDatabaseValue(row[4]),
      let sum = Int64.fromDatabaseValue(row[5])
    else { return nil }
    let header = try row.withUnsafeData(atIndex: 2) { $0.map { Array($0) } ?? [] }
    let actual = RecordChecksum.head(
      address: address, kind: kind, header: header.span.bytes, payloadBytes: payloadBytes, payloadSum: payloadSum)
    guard actual == sum, let address = UInt64(exactly: address), let kind = UInt8(exactly: kind) else { return nil }
    entry = DiskLogEntry(address: address, kind: kind, header: header, payloadBytes: Int(payloadBytes))
    self.payloadSum = payloadSum
  }

  /// Reads the column after those; nil when it is not the payload of this record.
  func payload(_ row: Row) throws -> [UInt8]? {
    let payload = try row.withUnsafeData(atIndex: 6) { $0.map { Array($0) } ?? [] }
    guard payload.count == entry.payloadBytes, RecordChecksum.payload(payload.span.bytes) == payloadSum else {
      return nil
    }
    return payload
  }
}
