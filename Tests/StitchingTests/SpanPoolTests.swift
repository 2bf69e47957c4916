import TestKit
import Testing
import TraceWire

@testable import Stitching

/// Many traces in one pool: none gets into another's way, and what is gone makes room.
@Suite struct SpanPoolTests {
  func record(_ random: inout SeededGenerator, _ id: UInt64) -> SpanRecord {
    let link = LinkEnd(
      duration: UInt64.random(in: 0...9, using: &random), weight: Double(Int.random(in: 1...3, using: &random)),
      bytes: UInt32.random(in: 1...999, using: &random), service: UInt32.random(in: 0...5, using: &random),
      regionFingerprint: 7, region: UInt16.random(in: 0...3, using: &random),
      kind: SpanFacts.Kind(rawValue: UInt8.random(in: 0...5, using: &random)) ?? .unspecified,
      flags: random.one(in: 5) ? .error : [])
    return SpanRecord(
      spanID: SpanID(id), parentID: SpanID(UInt64.random(in: 0...40, using: &random)), start: 100,
      end: 100 + link.duration, link: link)
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>) func listsAreApart(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var pool = SpanPool(hash: KeyedHash(seed, 3))
    var model: [Int: (list: SpanList, records: [SpanRecord])] = [:]
    for step in 0..<6000 {
      let trace = Int.random(in: 0..<60, using: &random)
      if random.one(in: 70), let own = model.removeValue(forKey: trace) {
        pool.remove(own.list)
        continue
      }
      var own = model[trace] ?? (SpanList(), [])
      let record = record(&random, UInt64.random(in: 1...80, using: &random))
      var links: [Link] = []
      let isThere = own.records.contains { $0.spanID == record.spanID }
      let countMax = 50
      switch pool.absorb(record, into: &own.list, countMax: countMax, links: &links) {
      case .accepted:
        #expect(!isThere && own.records.count < countMax, "seed \(seed) step \(step)")
        own.records.append(record)
      case .duplicate: #expect(isThere && links.isEmpty, "seed \(seed) step \(step)")
      case .full: #expect(!isThere && own.records.count == countMax && links.isEmpty, "seed \(seed) step \(step)")
      }
      let children = links.filter { pool.record($0.parent).spanID == record.spanID }
      for link in links { #expect(pool.record(link.child).parentID == pool.record(link.parent).spanID) }
      #expect(links.count - children.count <= 1, "seed \(seed) step \(step)")
      model[trace] = own
    }
    for own in model.values {
      var records: [SpanRecord] = []
      pool.read(own.list, into: &records)
      #expect(records.count == own.records.count && Int(own.list.count) == records.count)
      #expect(Int(own.list.openEntries) == records.count { $0.isUnmatchedEntry })
      for (found, wanted) in zip(records, own.records) {
        var plain = found
        plain.link.flags.remove(.parentKnown)
        #expect(plain == wanted, "seed \(seed)")
        let hasParent = own.records.contains { $0.spanID == wanted.parentID }
        #expect(found.link.flags.contains(.parentKnown) == hasParent, "seed \(seed)")
      }
    }
    for own in model.values { pool.remove(own.list) }
    #expect(pool.count == 0)
  }

  @Test func whatIsGoneMakesRoom() {
    var random = SeededGenerator(seed: 9)
    var pool = SpanPool(hash: KeyedHash(1, 3))
    var lists: [SpanList] = []
    var links: [Link] = []
    var largest = 0
    for step in 0..<40_000 {
      var list = SpanList()
      for id in 1...8 as ClosedRange<UInt64> {
        _ = pool.absorb(record(&random, id), into: &list, countMax: 100, links: &links)
      }
      links.removeAll()
      lists.append(list)
      if lists.count > 500 { pool.remove(lists.remove(at: random.one(in: 3) ? step % 500 : 0)) }
      if step == 2000 { largest = pool.byteCount }
    }
    #expect(pool.byteCount < 2 * largest)
    for list in lists { pool.remove(list) }
    #expect(pool.byteCount < largest / 4, "chunks are given back")
  }

  @Test func anOriginLivesAsLongAsItsSpans() {
    var origins = SpanOrigins(hash: KeyedHash(5, 6))
    var link = LinkEnd(
      duration: 0, weight: 2, bytes: 1, service: 3, regionFingerprint: 4, region: 5, kind: .client, flags: [])
    let first = origins.retain(SpanOrigin(link))
    #expect(origins.retain(SpanOrigin(link)) == first && origins.count == 1)
    link.weight = 3
    let second = origins.retain(SpanOrigin(link))
    #expect(second != first && origins.count == 2)
    if let first, let second {
      #expect(origins[first].weight == 2 && origins[second].weight == 3)
      origins.release(first)
      #expect(origins.count == 2)
      origins.release(first)
      #expect(origins.count == 1)
    }
  }
}
