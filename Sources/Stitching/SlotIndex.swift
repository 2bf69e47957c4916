/// An index from a keyed hash to numbers of entries that lie elsewhere, which grows a piece at a time, so that nobody
/// waits for the copy of a large table: it is one table while it is small, and 256 of them after that, by the hash's
/// first bits. Each grows by itself. With two million entries one has 64 to 128 KiB, and hashes spread well enough that
/// the tables become full one after the other, over tens of thousands of entries.
///
/// Every hash is keyed (`KeyedHash`), so that peers cannot crowd one table. Should they, it grows for itself.
struct SlotIndex: Sendable {
  /// What the first bits of a hash begin at.
  private static let shift: UInt32 = 24
  private static let tableCount = 1 << (32 - Int(shift))
  private static let firstCapacityMax: UInt32 = 1 << 12
  /// Together twice what the first one had.
  private static let capacityMin = firstCapacityMax * 2 / UInt32(tableCount)

  /// The only table while there are few entries.
  private var first = SlotTable()
  private var tables: [SlotTable] = []
  /// Bytes of `tables`, not of the only one; 0 where that is in use.
  private var tableBytes = 0
  private(set) var count = 0

  init() {}

  var byteCount: Int { first.byteCount &+ tableBytes &+ tables.capacity &* MemoryLayout<SlotTable>.stride }

  /// The entry with this hash for which `matches` is true.
  @inline(__always) func find(_ hash: UInt32, _ matches: (UInt32) -> Bool) -> UInt32? {
    guard tableBytes > 0 else { return first.find(hash, matches) }
    // SAFETY: there is a table for each value of the first bits.
    return tables.span[unchecked: Self.table(hash)].find(hash, matches)
  }

  /// Adds an entry that the caller knows to be absent.
  @inline(__always) mutating func insert(_ hash: UInt32, _ entry: UInt32) {
    count &+= 1
    if tableBytes == 0 {
      if first.capacity < Self.firstCapacityMax || !first.isFull {
        _ = first.insert(hash, entry)
        return
      }
      spread()
    }
    tableBytes &+= tables[Self.table(hash)].insert(hash, entry)
  }

  /// Points the hash of one entry to another.
  mutating func replace(_ hash: UInt32, _ entry: UInt32, by other: UInt32) {
    if tableBytes == 0 {
      first.replace(hash, entry, by: other)
    } else {
      tables[Self.table(hash)].replace(hash, entry, by: other)
    }
  }

  /// Removes an entry that is there.
  mutating func remove(_ hash: UInt32, _ entry: UInt32) {
    count &-= 1
    if tableBytes == 0 { first.remove(hash, entry) } else { tables[Self.table(hash)].remove(hash, entry) }
  }

  @inline(__always) private static func table(_ hash: UInt32) -> Int { Int(hash &>> shift) }

  /// Goes over from one table to many.
  @inline(never) private mutating func spread() {
    var tables: [SlotTable] = []
    tables.reserveCapacity(Self.tableCount)
    for _ in 0..<Self.tableCount { tables.append(SlotTable(capacity: Self.capacityMin)) }
    first.forEach { hash, entry in _ = tables[Self.table(hash)].insert(hash, entry) }
    tableBytes = tables.reduce(0) { $0 &+ $1.byteCount }
    self.tables = tables
    first = SlotTable()
  }
}
