/// Reads out of a damaged file what is still there, into a new one.
///
/// It does not ask SQLite, which gives up a whole table for one bad page on the way to it. Where the trees are whole, their
/// leaves are read; else every page that a tree leads to or that the file's map says is in a tree. Pages that are known to
/// be free are passed over: what was removed stays removed. Every row carries its own checksum, so nothing that was not
/// written is taken.
struct Salvage {
  private(set) var records = 0
  /// Rows and pages that could not be read.
  private(set) var lost = 0
  /// The highest address seen or promised.
  private var highest: Int64 = 0
  private var notes: [String: (version: Int64, value: [UInt8])] = [:]

  /// A salvaged log gives addresses far above those that may have been lost.
  private static let leap: Int64 = 1 << 32

  /// The ledger of the file that takes over.
  var ledger: Ledger { .fresh(next: min(highest, RecordTable.addressMax - Self.leap) + Self.leap) }
  /// Notes as they were saved last.
  var lastNotes: [(name: String, value: [UInt8])] { notes.map { ($0.key, $0.value.value) } }

  /// Offers each record that is found to `keep`, in no order, some perhaps more than once; it says whether it was new. What
  /// it throws ends it all.
  mutating func run<Fault: Error>(
    _ path: String, keep: (Int64, DiskLogRecord) throws(Fault) -> Bool
  ) throws(Fault) {
    guard let image = PageImage(path) else {
      lost += 1
      return
    }
    lost += image.wal.damagedFrames
    var isOurs = false
    for (number, isSure) in SalvagePages(image).leaves {
      guard let bytes = image.page(number), let page = TablePage(bytes) else {
        if isSure { lost += 1 }
        continue
      }
      guard page.isLeaf else { continue }
      for row in page.rows(in: image) {
        if let row, try take(row, keep) { isOurs = true } else if isSure { lost += 1 }
      }
    }
    if !isOurs { lost = max(lost, 1) }
  }

  /// Takes a row; false when it is not as it was written.
  private mutating func take<Fault: Error>(
    _ row: TableRow, _ keep: (Int64, DiskLogRecord) throws(Fault) -> Bool
  ) throws(Fault) -> Bool {
    switch row.columns.count {
    case 5: return takeLedger(row) || takeNote(row)
    case 7:
      if row.key < RecordTable.addressMax { highest = max(highest, row.key) }
      guard let record = Self.record(row) else { return false }
      if try keep(row.key, record) { records += 1 }
      return true
    default: return false
    }
  }

  private static func record(_ row: TableRow) -> DiskLogRecord? {
    guard let kind = row.integer(1), let header = row.bytes(2), let payloadBytes = row.integer(3),
      let payloadSum = row.integer(4), let sum = row.integer(5), let payload = row.bytes(6),
      payload.count == payloadBytes, RecordChecksum.payload(payload.span.bytes) == payloadSum,
      RecordChecksum.head(
        address: row.key, kind: kind, header: header.span.bytes, payloadBytes: payloadBytes, payloadSum: payloadSum)
        == sum, let kind = UInt8(exactly: kind), row.key > 0
    else { return nil }
    return DiskLogRecord(kind: kind, header: header, payload: payload)
  }

  private mutating func takeLedger(_ row: TableRow) -> Bool {
    guard let identity = row.bytes(1), let epoch = row.integer(2), let next = row.integer(3), let sum = row.integer(4),
      Ledger(identity: identity, epoch: epoch, next: next).sum == sum
    else { return false }
    highest = max(highest, next)
    return true
  }

  private mutating func takeNote(_ row: TableRow) -> Bool {
    guard let name = row.bytes(1), let value = row.bytes(2), let version = row.integer(3), let sum = row.integer(4)
    else { return false }
    let text = String(decoding: name, as: UTF8.self)
    guard RecordChecksum.note(name: text, value: value.span.bytes, version: version) == sum else { return false }
    if version > notes[text]?.version ?? .min { notes[text] = (version, value) }
    return true
  }
}
