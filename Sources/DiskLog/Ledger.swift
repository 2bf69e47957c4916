internal import Foundation
internal import GRDB

/// The one row that says which log this is.
struct Ledger {
  var identity: [UInt8]
  var epoch: Int64
  /// No address below was never given.
  var next: Int64

  var sum: Int64 { RecordChecksum.ledger(identity: identity.span.bytes, epoch: epoch, next: next) }

  /// A new log's.
  static func fresh(next: Int64 = 1) -> Ledger {
    var random = SystemRandomNumberGenerator()
    var identity = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    identity[6] = identity[6] & 0x0f | 0x40
    identity[8] = identity[8] & 0x3f | 0x80
    return Ledger(identity: identity, epoch: 0, next: next)
  }

  /// Nil where it is missing or damaged.
  static func load(_ db: Database) throws -> Ledger? {
    guard let row = try Row.fetchOne(db, sql: "SELECT identity, epoch, next, sum FROM ledger WHERE id = 1"),
      let identity = Data.fromDatabaseValue(row[0]), let epoch = Int64.fromDatabaseValue(row[1]),
      let next = Int64.fromDatabaseValue(row[2]), let sum = Int64.fromDatabaseValue(row[3])
    else { return nil }
    let ledger = Ledger(identity: Array(identity), epoch: epoch, next: next)
    return ledger.sum == sum && identity.count == 16 ? ledger : nil
  }

  func save(_ db: Database) throws {
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?, ?)").execute(
      arguments: [Data(identity), epoch, next, sum])
  }
}
