internal import TraceWire

/// A map from byte strings to small values, by open addressing with a keyed hash: looked up with bytes where they lie,
/// without a copy. Entries are not removed one by one; whoever owns the table bounds it and empties it as a whole.
struct ByteTable<Value: BitwiseCopyable & Sendable>: Sendable {
  private struct Entry {
    var hash: UInt64
    var key: ByteRange
    var value: Value
  }

  private let hash: KeyedHash
  private var slots: [UInt32] = Array(repeating: 0, count: 16)
  private var entries: [Entry] = []
  private var keys: [UInt8] = []

  init(hash: KeyedHash) { self.hash = hash }

  var count: Int { entries.count }
  /// The length of all keys together.
  var keyBytes: Int { keys.count }

  /// The value of a key, or nil.
  func value(_ range: ByteRange, of bytes: RawSpan) -> Value? {
    guard !entries.isEmpty else { return nil }
    let sought = hash(range, of: bytes)
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: sought) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot] &- 1)
      if entries[index].hash == sought, bytes.equals(range, entries[index].key, of: keys.span.bytes) {
        return entries[index].value
      }
      slot = (slot &+ 1) & mask
    }
    return nil
  }

  /// The value of a key, or nil.
  func value(_ key: [UInt8]) -> Value? { value(ByteRange(0, key.count), of: key.span.bytes) }

  /// Adds a key that the table does not have yet.
  mutating func insert(_ range: ByteRange, of bytes: RawSpan, value: Value) {
    if entries.count >= slots.count / 2 { grow() }
    let start = keys.count
    bytes.append(range, to: &keys)
    let entry = Entry(hash: hash(range, of: bytes), key: ByteRange(start, keys.count), value: value)
    entries.append(entry)
    place(entry.hash, index: entries.count - 1)
  }

  /// Gives a key a value, whether the table has it or not.
  mutating func set(_ key: [UInt8], to change: (Value?) -> Value) {
    if let index = entries.firstIndex(where: { Array(keys[$0.key.indices]) == key }) {
      entries[index].value = change(entries[index].value)
    } else {
      insert(ByteRange(0, key.count), of: key.span.bytes, value: change(nil))
    }
  }

  /// Forgets every key and keeps the room.
  mutating func removeAll() {
    for slot in slots.indices { slots[slot] = 0 }
    entries.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
  }

  private mutating func place(_ hash: UInt64, index: Int) {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot &+ 1) & mask }
    slots[slot] = UInt32(truncatingIfNeeded: index &+ 1)
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 2)
    for index in entries.indices { place(entries[index].hash, index: index) }
  }
}
