import TestKit
import Testing
import TraceWire

@Suite struct SpanPlacesTests {
  @Test(arguments: 1...10 as ClosedRange<UInt64>) func findsWhatTheWalkFound(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes = generator.requestBytes(spans: 60)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    var places: [SpanPlaces] = []
    try SpanPlaces.find(in: bytes.span.bytes, into: &places)
    #expect(places.count == facts.spans.count, "seed \(seed)")
    var found = 0
    func word(_ offset: UInt32) -> UInt64 {
      bytes[Int(offset)..<Int(offset) + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    for (place, span) in zip(places, facts.spans) {
      guard span.traits.isDisjoint(with: .invalid) else { continue }
      for (offset, value) in [
        (place.traceID, span.traceID.high), (place.spanID, span.spanID.rawValue),
        (place.parentID, span.parentID.rawValue), (place.start, span.start.byteSwapped),
        (place.end, span.end.byteSwapped),
      ] where offset > 0 {
        #expect(word(offset) == value, "seed \(seed)")
        found += 1
      }
    }
    #expect(found > places.count, "seed \(seed)")
  }

  @Test func otherValuesLeadToTheSamePlaces() throws {
    var generator = OTLPGenerator(seed: 3)
    var bytes = generator.requestBytes(spans: 30)
    var places: [SpanPlaces] = []
    try SpanPlaces.find(in: bytes.span.bytes, into: &places)
    let before = places.map(\.spanID)
    for place in places where place.spanID > 0 { for step in 0..<8 { bytes[Int(place.spanID) + step] = 0xff } }
    places = []
    try SpanPlaces.find(in: bytes.span.bytes, into: &places)
    #expect(places.map(\.spanID) == before)
  }
}
