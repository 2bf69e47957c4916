/// An open-addressing table from a keyed hash to numbers of entries that lie elsewhere. A slot is one word: 32 bits of
/// the hash, which sort out nearly every other entry without a look at it, and the entry's number plus one.
/// Linear probing by the hash's last bits, power-of-two capacity, backward-shift deletion (no tombstones), at most three
/// quarters full. It grows by a copy of all of it, so whoever lets it become large waits for that.
struct SlotTable: Sendable {
  // SAFETY: there are `capacity` slots, a power of two, and every position is masked with one less: no access without a
  // check of its own is outside.
  private var slots: [UInt64] = []
  private(set) var capacity: UInt32 = 0
  private(set) var count: UInt32 = 0

  /// A table without slots.
  init() {}

  /// An empty table with this many slots, a power of two.
  init(capacity: UInt32) {
    precondition(capacity.nonzeroBitCount == 1, "a table has a power of two of slots")
    self.capacity = capacity
    slots = Array(repeating: 0, count: Int(capacity))
  }

  var byteCount: Int { Int(capacity) &* 8 }

  /// Whether it grows with the next entry.
  @inline(__always) var isFull: Bool { count &* 4 >= capacity &* 3 }

  /// The entry with this hash for which `matches` is true.
  @inline(__always) func find(_ hash: UInt32, _ matches: (UInt32) -> Bool) -> UInt32? {
    guard count > 0 else { return nil }
    let slots = slots.span
    let mask = capacity &- 1
    var position = hash & mask
    while true {
      let slot = slots[unchecked: Int(position)]
      if slot == 0 { return nil }
      if UInt32(truncatingIfNeeded: slot >> 32) == hash {
        let entry = UInt32(truncatingIfNeeded: slot) &- 1
        if matches(entry) { return entry }
      }
      position = (position &+ 1) & mask
    }
  }

  /// Adds an entry that the caller knows to be absent.
  /// - Returns: by how many bytes the table grew for it.
  @inline(__always) mutating func insert(_ hash: UInt32, _ entry: UInt32) -> Int {
    let grown = isFull ? grow() : 0
    place(UInt64(hash) << 32 | UInt64(entry &+ 1))
    return grown
  }

  /// Points the hash of one entry to another.
  mutating func replace(_ hash: UInt32, _ entry: UInt32, by other: UInt32) {
    slots[Int(position(hash, entry))] = UInt64(hash) << 32 | UInt64(other &+ 1)
  }

  /// Removes an entry that is there.
  @inline(__always) mutating func remove(_ hash: UInt32, _ entry: UInt32) {
    var hole = position(hash, entry)
    count &-= 1
    let mask = capacity &- 1
    var slots = slots.mutableSpan
    var next = hole
    while true {
      next = (next &+ 1) & mask
      let slot = slots[unchecked: Int(next)]
      if slot == 0 { break }
      let home = UInt32(truncatingIfNeeded: slot >> 32) & mask
      if (next &- home) & mask >= (next &- hole) & mask {
        slots[unchecked: Int(hole)] = slot
        hole = next
      }
    }
    slots[unchecked: Int(hole)] = 0
  }

  /// Every hash with its entry, in no order.
  func forEach(_ body: (UInt32, UInt32) -> Void) {
    for slot in slots where slot != 0 {
      body(UInt32(truncatingIfNeeded: slot >> 32), UInt32(truncatingIfNeeded: slot) &- 1)
    }
  }

  @inline(__always) private func position(_ hash: UInt32, _ entry: UInt32) -> UInt32 {
    precondition(count > 0, "the entry is in the index")
    let slots = slots.span
    let mask = capacity &- 1
    let wanted = UInt64(hash) << 32 | UInt64(entry &+ 1)
    var position = hash & mask
    while slots[unchecked: Int(position)] != wanted {
      precondition(slots[unchecked: Int(position)] != 0, "the entry is in the index")
      position = (position &+ 1) & mask
    }
    return position
  }

  @inline(__always) private mutating func place(_ slot: UInt64) {
    count &+= 1
    let mask = capacity &- 1
    var slots = slots.mutableSpan
    var position = UInt32(truncatingIfNeeded: slot >> 32) & mask
    while slots[unchecked: Int(position)] != 0 { position = (position &+ 1) & mask }
    slots[unchecked: Int(position)] = slot
  }

  @inline(never) private mutating func grow() -> Int {
    let before = byteCount
    var larger = SlotTable(capacity: max(16, capacity &* 2))
    for slot in slots where slot != 0 { larger.place(slot) }
    self = larger
    return byteCount &- before
  }
}
