internal import Foundation
internal import GRDB

/// Named values.
enum NoteTable {
  static func save(_ db: Database, _ name: String, _ value: [UInt8]) throws {
    let sum = RecordChecksum.note(name: name, value: value.span.bytes)
    try value.withBytesNotCopied { data in
      try db.cachedStatement(sql: "INSERT OR REPLACE INTO note VALUES (?, ?, ?)").execute(arguments: [name, data, sum])
    }
  }

  /// Nil where there is none or it is damaged.
  static func load(_ db: Database, _ name: String) throws -> [UInt8]? {
    let statement = try db.cachedStatement(sql: "SELECT value, sum FROM note WHERE name = ?")
    guard let row = try Row.fetchOne(statement, arguments: [name]), let sum = Int64.fromDatabaseValue(row[1]) else {
      return nil
    }
    let value = try row.withUnsafeData(atIndex: 0) { $0.map { Array($0) } ?? [] }
    return RecordChecksum.note(name: name, value: value.span.bytes) == sum ? value : nil
  }

  /// The names of all notes, in order, from one on.
  static func names(_ db: Database) throws -> [String] {
    try String?.fetchAll(db, sql: "SELECT name FROM note").compactMap { $0 }
  }
}

extension Array<UInt8> {
  /// Lends the bytes as `Data` for the length of a call, so that they can be bound to a statement without a copy.
  func withBytesNotCopied<Result>(_ body: (Data) throws -> Result) rethrows -> Result {
    // SAFETY: the `Data` only reads, and nobody reads it after `body`: GRDB unbinds the arguments before it returns.
    try withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, !bytes.isEmpty else { return try body(Data()) }
      return try body(
        Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none))
    }
  }
}
