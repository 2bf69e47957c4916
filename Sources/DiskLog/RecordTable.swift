internal import Foundation
internal import GRDB

/// The hot table: records by ascending address.
enum RecordTable {
  /// Rows with a larger key were never written by us.
  static let addressMax: Int64 = 1 << 62

  /// Appends a record. `isUnsure`: an address that is taken is no error, and what is there stays; then it is false.
  @discardableResult
  static func append(
    _ db: Database, _ record: DiskLogRecord, at address: Int64, isUnsure: Bool = false
  ) throws -> Bool {
    let payloadSum = RecordChecksum.payload(record.payload.span.bytes)
    let kind = Int64(record.kind)
    let payloadBytes = Int64(record.payload.count)
    let sum = RecordChecksum.head(
      address: address, kind: kind, header: record.header.span.bytes, payloadBytes: payloadBytes,
      payloadSum: payloadSum)
    let orIgnore = isUnsure ? "OR IGNORE " : ""
    let statement = try db.cachedStatement(sql: "INSERT \(orIgnore)INTO record VALUES (?, ?, ?, ?, ?, ?, ?)")
    try record.header.withBytesNotCopied { header in
      try record.payload.withBytesNotCopied { payload in
        try statement.execute(arguments: [address, kind, header, payloadBytes, payloadSum, sum, payload])
      }
    }
    return db.changesCount > 0
  }

  /// Removes a range and says what it held.
  static func remove(_ db: Database, _ range: ClosedRange<Int64>) throws -> (records: Int, bytes: Int) {
    let bounds: StatementArguments = [range.lowerBound, range.upperBound]
    let held = try db.cachedStatement(
      sql: "SELECT count(*), total(length(header) + payload_bytes) FROM record WHERE address BETWEEN ? AND ?")
    guard let row = try Row.fetchOne(held, arguments: bounds), let records = Int.fromDatabaseValue(row[0]), records > 0
    else { return (0, 0) }
    try db.cachedStatement(sql: "DELETE FROM record WHERE address BETWEEN ? AND ?").execute(arguments: bounds)
    return (records, Int(exactly: (Double.fromDatabaseValue(row[1]) ?? 0).rounded()) ?? 0)
  }

  /// Removes one record, whatever it holds.
  static func delete(_ db: Database, _ address: Int64) throws {
    try db.cachedStatement(sql: "DELETE FROM record WHERE address = ?").execute(arguments: [address])
  }

  /// A record, or nothing where there is none or it is damaged.
  static func read(_ db: Database, _ address: Int64) throws -> Lookup {
    let statement = try db.cachedStatement(sql: "SELECT \(columns), payload FROM record WHERE address = ?")
    let rows = try Row.fetchCursor(statement, arguments: [address])
    guard let row = try rows.next() else { return .missing }
    guard let head = try RecordRow(row), let payload = try head.payload(row) else { return .damaged }
    return .found(DiskLogRecord(kind: head.entry.kind, header: head.entry.header, payload: payload))
  }

  enum Lookup {
    case found(DiskLogRecord)
    case missing
    case damaged
  }

  /// Walks over records by address. Damaged ones are not shown but returned, so many at most; further ones stay, unseen.
  static func walk(
    _ db: Database, withPayloads: Bool, damagedMax: Int = 65536, _ body: (DiskLogEntry, [UInt8]) throws -> Void
  ) throws -> [Int64] {
    let payload = withPayloads ? ", payload" : ""
    let statement = try db.makeStatement(sql: "SELECT \(columns)\(payload) FROM record ORDER BY address")
    let rows = try Row.fetchCursor(statement)
    var damaged: [Int64] = []
    while let row = try rows.next() {
      guard let head = try RecordRow(row), let bytes = try withPayloads ? head.payload(row) : [] else {
        if damaged.count < damagedMax, let address = Int64.fromDatabaseValue(row[0]) { damaged.append(address) }
        continue
      }
      try body(head.entry, bytes)
    }
    return damaged
  }

  static let columns = "address, kind, header, payload_bytes, payload_sum, sum"
}
