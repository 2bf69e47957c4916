internal import Foundation
internal import GRDB

/// Named values: few, so they are found without an index.
enum NoteTable {
  /// Replaces a value. The version grows with every save: it tells the last one where a damaged file shows several.
  static func save(_ db: Database, _ name: String, _ value: [UInt8], version: Int64) throws {
    let sum = RecordChecksum.note(name: name, value: value.span.bytes, version: version)
    try value.withBytesNotCopied { data in
      try db.cachedStatement(sql: "UPDATE note SET value = ?, version = ?, sum = ? WHERE name = ?").execute(
        arguments: [data, version, sum, name])
      guard db.changesCount == 0 else { return }
      try db.cachedStatement(sql: "INSERT INTO note(name, value, version, sum) VALUES (?, ?, ?, ?)").execute(
        arguments: [name, data, version, sum])
    }
  }

  /// Nil where there is none or it is damaged.
  static func load(_ db: Database, _ name: String) throws -> [UInt8]? {
    let statement = try db.cachedStatement(sql: "SELECT value, version, sum FROM note WHERE name = ?")
    let rows = try Row.fetchCursor(statement, arguments: [name])
    guard let row = try rows.next(), let version = Int64.fromDatabaseValue(row[1]),
      let sum = Int64.fromDatabaseValue(row[2])
    else { return nil }
    let value = try row.withUnsafeData(atIndex: 0) { $0.map { Array($0) } ?? [] }
    return RecordChecksum.note(name: name, value: value.span.bytes, version: version) == sum ? value : nil
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
