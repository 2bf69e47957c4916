internal import Synchronization

/// A key that is given a small number.
protocol Interned: Hashable, Sendable {
  /// Its place in a shard's own index.
  func slot(in hash: KeyedHash) -> UInt32
}

/// Small numbers for the first so many keys, the same in all shards; 0 stands for every key past the cap.
/// The table only grows, and a full one never changes: a shard that has copied it does not have to ask again.
final class InternTable<Key: Interned>: Sendable {
  private struct State {
    var numbers: [Key: UInt32] = [:]
    var keys: [Key] = []
  }

  let capacity: Int
  private let state = Mutex(State())

  init(capacity: Int) {
    // Numbers of regions are kept in 16 bits.
    self.capacity = min(max(capacity, 0), 65_534)
    // Room for all, which costs nothing before it is used: nobody waits for a larger table.
    state.withLock { $0.numbers.reserveCapacity(self.capacity) }
  }

  /// The number of a key; `nil` where it is new and the table full.
  func number(of key: Key) -> UInt32? {
    state.withLock { state in
      if let number = state.numbers[key] { return number }
      guard state.keys.count < capacity else { return nil }
      state.keys.append(key)
      state.numbers[key] = UInt32(state.keys.count)
      return UInt32(state.keys.count)
    }
  }

  /// The keys so far: the first has number 1.
  var keys: [Key] { state.withLock { $0.keys } }
}

/// A shard's copy of what it has seen of an `InternTable`.
struct InternCache<Key: Interned>: Sendable {
  private let table: InternTable<Key>
  private let hash: KeyedHash
  private var index = SlotIndex()
  private var entries: [(key: Key, number: UInt32)] = []
  /// The table is full and all of it is here: what is missing here is past the cap.
  private var isComplete = false
  /// How often a key was past the cap.
  private(set) var overflows = 0

  init(_ table: InternTable<Key>, hash: KeyedHash) {
    self.table = table
    self.hash = hash
  }

  /// The number of a key, 0 past the cap.
  @inline(__always) mutating func number(of key: Key) -> UInt32 {
    number(slot: key.slot(in: hash), matches: { $0 == key }, make: { key })
  }

  /// The number of a key that does not have to be made when the cache knows it.
  @inline(__always) mutating func number(slot: UInt32, matches: (Key) -> Bool, make: () -> Key) -> UInt32 {
    if let entry = index.find(slot, { matches(entries[Int($0)].key) }) { return entries[Int(entry)].number }
    return isComplete ? overflow() : ask(make())
  }

  mutating func overflow() -> UInt32 {
    overflows &+= 1
    return 0
  }

  @inline(never) private mutating func ask(_ key: Key) -> UInt32 {
    if let number = table.number(of: key) {
      add(key, number)
      return number
    }
    for (position, key) in table.keys.enumerated() { add(key, UInt32(position + 1)) }
    isComplete = true
    return overflow()
  }

  private mutating func add(_ key: Key, _ number: UInt32) {
    guard index.find(key.slot(in: hash), { entries[Int($0)].key == key }) == nil else { return }
    index.insert(key.slot(in: hash), UInt32(entries.count))
    entries.append((key, number))
  }
}
