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

  /// Past one table, with hashes that are spread and with such as a peer that knew the secret could make.
  @Test(arguments: [0, 1, 2, 3]) func behavesLikeADictionaryWhenLarge(kind: Int) {
    var random = SeededGenerator(seed: UInt64(kind))
    var index = SlotIndex()
    var hashes: [UInt32: UInt32] = [:]
    var entries: [UInt32] = []
    for step in 0..<60_000 as Range<UInt32> {
      if random.one(in: 4), let entry = entries.popLast(), let hash = hashes[entry] {
        index.remove(hash, entry)
        hashes[entry] = nil
        continue
      }
      let word = UInt32.random(in: 0 ... .max, using: &random)
      let hash =
        switch kind {
        case 0: word
        case 1: word & 0xffff
        case 2: word | 0xfffe_0000
        default: word & 0xff00_0fff
        }
      index.insert(hash, step)
      hashes[step] = hash
      entries.append(step)
      if !entries.isEmpty, random.one(in: 8) {
        entries.swapAt(entries.count - 1, Int.random(in: entries.indices, using: &random))
      }
    }
    #expect(index.count == hashes.count)
    #expect(hashes.allSatisfy { entry, hash in index.find(hash) { $0 == entry } == entry }, "kind \(kind)")
    #expect(index.find(0x1234_5678) { _ in false } == nil)
    #expect(index.byteCount < 64 * index.count, "\(index.byteCount) bytes")
    for (entry, hash) in hashes { index.remove(hash, entry) }
    #expect(index.count == 0)
    #expect(hashes.allSatisfy { entry, hash in index.find(hash) { _ in true } == nil })
  }

  @Test func entriesAreReplacedWhenLarge() {
    var index = SlotIndex()
    for entry in 0..<10_000 as Range<UInt32> { index.insert(entry &* 0x9e37_79b9, entry) }
    for entry in 0..<10_000 as Range<UInt32> { index.replace(entry &* 0x9e37_79b9, entry, by: entry + 10_000) }
    #expect(index.count == 10_000)
    #expect((0..<10_000 as Range<UInt32>).allSatisfy { index.find($0 &* 0x9e37_79b9) { _ in true } == $0 + 10_000 })
  }

  /// A slot is eight bytes and at least three of eight are taken, also where the index goes over to many tables.
  @Test func sizeFollowsTheCount() {
    let hash = KeyedHash(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210)
    var index = SlotIndex()
    for entry in 0..<200_000 as Range<UInt32> {
      index.insert(hash.slot(SpanID(UInt64(entry) + 1)), entry)
      if entry.nonzeroBitCount == 1, entry > 16 {
        #expect(index.byteCount < Int(entry) * 28 + 8192, "\(entry) entries, \(index.byteCount) bytes")
        #expect(index.byteCount >= Int(entry) * 32 / 3)
      }
    }
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
