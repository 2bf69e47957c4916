/// An open-addressing index from a keyed hash to numbers of entries that lie elsewhere. A slot is one word: 32 bits of
/// the hash, which sort out nearly every other entry without a look at it, and the entry's number plus one.
/// Linear probing, power-of-two capacity, backward-shift deletion (no tombstones), at most three quarters full.
/// Every hash is keyed (`KeyedHash`), so that peers cannot make it degenerate.
struct SlotIndex: Sendable {
  private var slots: [UInt64] = []
  private var mask: UInt32 = 0
  private(set) var count = 0

  init() {}

  var byteCount: Int { slots.capacity &* 8 }

  /// The entry with this hash for which `matches` is true.
  @inline(__always) func find(_ hash: UInt32, _ matches: (UInt32) -> Bool) -> UInt32? {
    guard count > 0 else { return nil }
    var position = hash & mask
    while true {
      let slot = slots[Int(position)]
      if slot == 0 { return nil }
      if UInt32(truncatingIfNeeded: slot >> 32) == hash {
        let entry = UInt32(truncatingIfNeeded: slot) &- 1
        if matches(entry) { return entry }
      }
      position = (position &+ 1) & mask
    }
  }

  /// Adds an entry that the caller knows to be absent.
  @inline(__always) mutating func insert(_ hash: UInt32, _ entry: UInt32) {
    if count &* 4 >= slots.count &* 3 { grow() }
    place(UInt64(hash) << 32 | UInt64(entry &+ 1), hash)
    count &+= 1
  }

  /// Points the hash of one entry to another.
  mutating func replace(_ hash: UInt32, _ entry: UInt32, by other: UInt32) {
    slots[Int(position(hash, entry))] = UInt64(hash) << 32 | UInt64(other &+ 1)
  }

  /// Removes an entry that is there.
  mutating func remove(_ hash: UInt32, _ entry: UInt32) {
    var hole = position(hash, entry)
    var next = hole
    while true {
      next = (next &+ 1) & mask
      let slot = slots[Int(next)]
      if slot == 0 { break }
      let home = UInt32(truncatingIfNeeded: slot >> 32) & mask
      if (next &- home) & mask >= (next &- hole) & mask {
        slots[Int(hole)] = slot
        hole = next
      }
    }
    slots[Int(hole)] = 0
    count &-= 1
  }

  private func position(_ hash: UInt32, _ entry: UInt32) -> UInt32 {
    precondition(count > 0, "the entry is in the index")
    let wanted = UInt64(hash) << 32 | UInt64(entry &+ 1)
    var position = hash & mask
    while slots[Int(position)] != wanted {
      precondition(slots[Int(position)] != 0, "the entry is in the index")
      position = (position &+ 1) & mask
    }
    return position
  }

  @inline(__always) private mutating func place(_ slot: UInt64, _ hash: UInt32) {
    var position = hash & mask
    while slots[Int(position)] != 0 { position = (position &+ 1) & mask }
    slots[Int(position)] = slot
  }

  @inline(never) private mutating func grow() {
    let old = slots
    slots = Array(repeating: 0, count: max(16, old.count &* 2))
    mask = UInt32(truncatingIfNeeded: slots.count &- 1)
    for slot in old where slot != 0 { place(slot, UInt32(truncatingIfNeeded: slot >> 32)) }
  }
}
