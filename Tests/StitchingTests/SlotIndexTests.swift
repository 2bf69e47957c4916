import TestKit
import Testing
import TraceWire

@testable import Stitching

@Suite struct SlotIndexTests {
  @Test(arguments: [1, 2, 3] as [UInt64]) func behavesLikeADictionary(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var index = SlotIndex()
    var keys: [UInt32: UInt64] = [:]
    var entries: [UInt64: UInt32] = [:]
    // Few hashes, so that many entries share one.
    func hash(_ key: UInt64) -> UInt32 { UInt32(key % 97) &* 0x9e37_79b9 }
    for step in 0..<20_000 as Range<UInt32> {
      let key = UInt64.random(in: 0..<800, using: &random)
      let found = index.find(hash(key)) { keys[$0] == key }
      #expect(found == entries[key], "seed \(seed) step \(step)")
      switch (found, random.one(in: 2)) {
      case (let entry?, true):
        index.remove(hash(key), entry)
        entries[key] = nil
        keys[entry] = nil
      case (let entry?, false):
        index.replace(hash(key), entry, by: step)
        keys[entry] = nil
        keys[step] = key
        entries[key] = step
      case (nil, _):
        keys[step] = key
        index.insert(hash(key), step)
        entries[key] = step
      }
      #expect(index.count == entries.count)
    }
    #expect(entries.allSatisfy { key, entry in index.find(hash(key)) { keys[$0] == key } == entry })
  }

  /// IDs that a hash without a secret, or one of the form `high ^ low`, would put into one slot.
  @Test(arguments: [0, 1, 2, 3, 4]) func keyedHashSpreadsChosenIDs(attack: Int) {
    let hash = KeyedHash(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)
    var slots: [UInt32: Int] = [:]
    for number in 1...4096 as ClosedRange<UInt64> {
      let id =
        switch attack {
        case 0: TraceID(high: number, low: number)
        case 1: TraceID(high: number << 52, low: 0)
        case 2: TraceID(high: 0, low: number << 52)
        case 3: TraceID(high: number, low: 0 &- number)
        default: TraceID(high: number << 32, low: number << 32)
        }
      slots[hash.slot(id) & 4095, default: 0] += 1
    }
    #expect(slots.values.max() ?? 0 < 12)
    #expect(slots.count > 2300)
  }

  @Test func derivedHashesDiffer() {
    let hash = KeyedHash(1, 2)
    let id = TraceID(high: 3, low: 4)
    #expect(Set((0..<8).map { hash.derived($0).hash(id) }).count == 8)
    #expect(KeyedHash(1, 2).hash(id) == hash.hash(id))
  }

  @Test func listsKeepTheirOrder() {
    var lists = SlotLists(lists: 2)
    lists.reserve(entries: 5)
    for entry in [0, 1, 2] as [UInt32] { lists.append(entry) }
    lists.append(3, to: 1)
    lists.remove(0)
    lists.remove(4)
    lists.append(0)
    var order: [UInt32] = []
    while let first = lists.first() {
      order.append(first)
      lists.remove(first)
    }
    #expect(order == [1, 2, 0])
    #expect(lists.first(of: 1) == 3)
  }
}
