internal import TraceWire

/// One stripe of `TraceMemory`: an open-addressing table over entries that are linked in the order of their last use.
struct RecentTraces: Sendable {
  private struct Entry {
    var id: TraceID
    var decision: RouteDecision
    var expiry: UInt64
    var newer: UInt32
    var older: UInt32
  }

  private static let none = UInt32.max

  private let capacity: Int
  private let lifetime: UInt64
  private let hash: KeyedHash
  private var slots: [UInt32] = Array(repeating: RecentTraces.none, count: 16)
  private var entries: [Entry] = []
  private var newest = RecentTraces.none
  private var oldest = RecentTraces.none
  private(set) var evictions = 0

  init(capacity: Int, lifetime: UInt64, hash: KeyedHash) {
    self.capacity = capacity
    self.lifetime = lifetime
    self.hash = hash
  }

  var count: Int { entries.count }

  /// See `TraceMemory.combine`; `key` is the ID's hash.
  mutating func combine(_ id: TraceID, key: UInt64, with seen: RouteDecision?, now: UInt64) -> RouteDecision? {
    if let index = find(id, key: key) {
      let position = Int(index)
      if entries[position].expiry > now {
        if let seen { entries[position].decision = entries[position].decision.combined(with: seen) }
      } else {
        guard let seen else { return nil }
        entries[position].decision = seen
      }
      touch(index, now: now)
      return entries[position].decision
    }
    if let seen { insert(id, key: key, decision: seen, now: now) }
    return seen
  }

  // MARK: The table

  private func find(_ id: TraceID, key: UInt64) -> UInt32? {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: key) & mask
    while slots[slot] != Self.none {
      if entries[Int(slots[slot])].id == id { return slots[slot] }
      slot = (slot &+ 1) & mask
    }
    return nil
  }

  private mutating func insert(_ id: TraceID, key: UInt64, decision: RouteDecision, now: UInt64) {
    let index = room(now: now)
    let entry = Entry(id: id, decision: decision, expiry: 0, newer: Self.none, older: Self.none)
    if Int(index) == entries.count {
      entries.append(entry)
    } else {
      entries[Int(index)] = entry
    }
    if entries.count > slots.count / 2 {
      grow()
    } else {
      place(index, key: key)
    }
    link(index, now: now)
  }

  /// A free index: a trace's past its time, else a new one, else that of the trace used longest ago.
  private mutating func room(now: UInt64) -> UInt32 {
    if oldest != Self.none {
      let isExpired = entries[Int(oldest)].expiry <= now
      if isExpired || entries.count >= capacity {
        if !isExpired { evictions &+= 1 }
        let index = oldest
        unlink(index)
        removeSlot(of: index)
        return index
      }
    }
    return UInt32(truncatingIfNeeded: entries.count)
  }

  private mutating func place(_ index: UInt32, key: UInt64) {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: key) & mask
    while slots[slot] != Self.none { slot = (slot &+ 1) & mask }
    slots[slot] = index
  }

  private mutating func grow() {
    slots = Array(repeating: Self.none, count: slots.count * 2)
    for index in entries.indices { place(UInt32(truncatingIfNeeded: index), key: hash(entries[index].id)) }
  }

  /// Empties an entry's slot and closes the gap, so that no probe stops short of what lies behind it.
  private mutating func removeSlot(of index: UInt32) {
    let mask = slots.count &- 1
    var gap = Int(truncatingIfNeeded: hash(entries[Int(index)].id)) & mask
    while slots[gap] != index { gap = (gap &+ 1) & mask }
    var slot = gap
    while true {
      slot = (slot &+ 1) & mask
      guard slots[slot] != Self.none else { break }
      let home = Int(truncatingIfNeeded: hash(entries[Int(slots[slot])].id)) & mask
      if ((slot &- home) & mask) >= ((slot &- gap) & mask) {
        slots[gap] = slots[slot]
        gap = slot
      }
    }
    slots[gap] = Self.none
  }

  // MARK: The order of use

  private mutating func touch(_ index: UInt32, now: UInt64) {
    if index != newest {
      unlink(index)
      link(index, now: now)
    } else {
      entries[Int(index)].expiry = now &+ lifetime
    }
  }

  private mutating func link(_ index: UInt32, now: UInt64) {
    entries[Int(index)].expiry = now &+ lifetime
    entries[Int(index)].older = newest
    entries[Int(index)].newer = Self.none
    if newest != Self.none { entries[Int(newest)].newer = index }
    newest = index
    if oldest == Self.none { oldest = index }
  }

  private mutating func unlink(_ index: UInt32) {
    let newer = entries[Int(index)].newer
    let older = entries[Int(index)].older
    if newer == Self.none { newest = older } else { entries[Int(newer)].older = older }
    if older == Self.none { oldest = newer } else { entries[Int(older)].newer = newer }
  }
}
