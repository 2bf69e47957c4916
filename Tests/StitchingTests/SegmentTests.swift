import TestKit
import Testing
import TraceWire

@testable import Stitching

@Suite struct SegmentTests {
  let hash = KeyedHash(7, 9)

  func segment(_ spans: [TestSpan]) -> Segment {
    var segmenter = Segmenter(names: Self.names, hash: hash)
    let request = request(spans)
    segmenter.begin(request)
    return segmenter.segment(0..<UInt32(spans.count), of: request, hash: hash)
  }

  static let names = FlowNames(limits: FlowLimits())

  func merged(_ segments: Segment...) -> Segment {
    var result = segments[0]
    for segment in segments.dropFirst() { result.merge(segment) }
    return result
  }

  /// Three holders' knowledge of one trace: overlapping, and in part contradictory.
  func holders(_ seed: UInt64, contradict: Bool) -> [[TestSpan]] {
    var traces = RandomTraces(seed: seed)
    let spans = traces.trace(1, spans: Int.random(in: 3...100, using: &traces.random))
    return (0..<3).map { _ in
      spans.filter { _ in traces.random.one(in: 2) }.shuffled(using: &traces.random).map { span in
        var span = span
        if contradict, traces.random.one(in: 5) { span.size += Int.random(in: 1...3, using: &traces.random) }
        if contradict, traces.random.one(in: 9) { span.parent = spans.randomElement(using: &traces.random)?.id ?? 0 }
        return span
      }
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>, [true, false]) func mergeLaws(seed: UInt64, contradict: Bool) {
    let parts = holders(seed, contradict: contradict).map(segment)
    let (a, b, c) = (parts[0], parts[1], parts[2])
    #expect(merged(a, b) == merged(b, a), "seed \(seed)")
    #expect(merged(merged(a, b), c) == merged(a, merged(b, c)), "seed \(seed)")
    #expect(merged(a, a) == a && merged(merged(a, b), b) == merged(a, b), "seed \(seed)")
    #expect(merged(a, b).openEntries == merged(b, a).openEntries, "seed \(seed)")
    #expect(merged(Segment(hash: hash), a) == a && merged(a, Segment(hash: hash)) == a, "seed \(seed)")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func everyLinkComesUpOnce(seed: UInt64) {
    var traces = RandomTraces(seed: seed)
    let spans = traces.trace(1, spans: Int.random(in: 1...120, using: &traces.random))
    var whole = Segment(hash: hash)
    var found: [[UInt64]] = []
    for part in [spans.filter { $0.id & 2 == 0 }, spans.filter { $0.id & 2 != 0 }] {
      var segment = Segment(hash: hash)
      let alone = segment.merge(self.segment(part))
      found += alone.map { [segment.spans[Int($0.parent)], segment.spans[Int($0.child)]].map(\.spanID.rawValue) }
      let between = whole.merge(segment)
      // Merging again finds the links inside the part, too.
      let known = Set(found)
      found += between.map { [whole.spans[Int($0.parent)], whole.spans[Int($0.child)]].map(\.spanID.rawValue) }
        .filter { !known.contains($0) }
    }
    let ids = Set(spans.map(\.id))
    let wanted = spans.filter { $0.parent != $0.id && ids.contains($0.parent) }.map { [$0.parent, $0.id] }
    #expect(Set(found) == Set(wanted) && found.count == wanted.count, "seed \(seed)")
    #expect(whole.openEntries == spans.filter { $0.parent != 0 && !ids.contains($0.parent) }.count, "seed \(seed)")
  }

  @Test func fiftyThousandChildrenOfOneMissingParent() {
    var segment = Segment(hash: hash)
    var links: [Link] = []
    var record = self.segment([TestSpan(id: 1, parent: 5)]).spans[0]
    for number in 10..<50_010 as Range<UInt64> {
      record.spanID = SpanID(number)
      segment.absorb(record, links: &links)
    }
    #expect(links.isEmpty && segment.openEntries == 50_000)
    record.spanID = SpanID(5)
    record.parentID = SpanID()
    segment.absorb(record, links: &links)
    #expect(links.count == 50_000 && segment.openEntries == 0)
  }

  @Test func aRecordIsSmall() {
    #expect(MemoryLayout<PackedSpan>.stride <= 40)
    #expect(MemoryLayout<LiveTrace>.stride <= 96)
  }
}
