import TestKit
import Testing
import TraceWire

@testable import Stitching

@Suite struct SpanMaskTests {
  func records(_ spans: [TestSpan]) -> [SpanRecord] {
    var segmenter = Segmenter(names: FlowNames(limits: FlowLimits()), hash: KeyedHash(1, 2))
    let request = request(spans)
    segmenter.begin(request)
    return spans.indices.map { segmenter.record(UInt32($0), of: request) }
  }

  @Test func takesOutAndPutsBack() {
    let spans = (1...9).map {
      TestSpan(id: 0x0102_0304_0506_0700 + $0, parent: $0 - 1, start: 5000 * $0, end: 9000 * $0)
    }
    let records = records(spans)
    let original = request(spans).bytes
    var bytes = original
    var mask = SpanMask()
    #expect(mask.apply(records[...], of: spans[0].traceID, to: &bytes))
    #expect(bytes != original && bytes.count == original.count)
    #expect(bytes.count { $0 == 0 } >= original.count { $0 == 0 } + 9 * 20)
    #expect(mask.apply(records[...], of: spans[0].traceID, to: &bytes))
    #expect(bytes == original)
  }

  @Test func anotherNumberOfSpansChangesNothing() {
    let spans = (1...3).map { TestSpan(id: $0) }
    let original = request(spans).bytes
    var bytes = original
    var mask = SpanMask()
    #expect(!mask.apply(records(Array(spans[..<2]))[...], of: spans[0].traceID, to: &bytes))
    #expect(bytes == original)
    var cut = Array(original.dropLast(3))
    #expect(!mask.apply(records(spans)[...], of: spans[0].traceID, to: &cut))
    #expect(cut == Array(original.dropLast(3)))
  }

  /// A trace whose bytes stop to match its facts is kept as it came, what it already had included.
  @Test func aTraceThatDoesNotMatchIsKeptAsItCame() {
    var live = LiveTraces(hash: KeyedHash(1, 2), spanHash: KeyedHash(3, 4), blockBytes: 4096, now: 0)
    let spans = (1...6).map { TestSpan(id: $0, parent: $0 - 1) }
    let slot = live.open(spans[0].traceID, now: 0, deadline: 10)
    var links: [Link] = []
    var all: [UInt8] = []
    for (step, part) in [spans[0..<2], spans[2..<4], spans[4..<6]].enumerated() {
      let last = live[slot].spans.last
      for record in records(Array(part)) {
        #expect(live.absorb(record, into: slot, countMax: 100, links: &links) == .accepted)
      }
      // The second part's bytes hold one span more than its facts.
      var bytes = request(step == 1 ? Array(part) + [TestSpan(id: 99)] : Array(part)).bytes
      all += bytes
      live.append(&bytes, to: slot, after: last, spans: part.count)
    }
    var records: [SpanRecord] = []
    live.read(slot, into: &records)
    #expect(records.count == 6 && live[slot].isUnmasked)
    var payload: [UInt8] = []
    live.handOn(slot, records, to: &payload)
    #expect(payload == all)
    let held = live.heldBytes
    #expect(live.remove(slot, isArmed: true) == held && live.heldBytes == 0)
  }
}
