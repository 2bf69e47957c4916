import TestKit
import Testing
import TraceWire

/// What a request's parts will take is counted before they are read.
@Suite struct RequestCensusTests {
  /// A length-delimited field.
  private static func field(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    var bytes = [tag]
    var length = content.count
    while length > 0x7f {
      bytes.append(UInt8(length & 0x7f) | 0x80)
      length >>= 7
    }
    return bytes + [UInt8(length)] + content
  }

  private static func empties(_ tag: UInt8, _ count: Int) -> [UInt8] {
    (0..<count).flatMap { _ in [tag, 0] }
  }

  @Test func countsWhatTheWalkFinds() throws {
    let span = Self.field(0x12, [UInt8](repeating: 0, count: 0) + Self.field(0x2a, Array("name".utf8)))
    let scope = Self.field(0x12, Self.field(0x0a, []) + span + span + Self.field(0x1a, []))
    let request = Self.field(0x0a, scope + Self.field(0x0a, []) + scope) + Self.field(0x0a, []) + Self.field(0x3a, [])
    let census = try RequestCensus(request.span.bytes)
    var facts = RequestFacts()
    let keys = AttributeKeys(prefix: nil, keys: [], headerAttributes: [])
    try facts.walk(request.span.bytes, keys: keys, census: census)
    #expect(census.resources == facts.resources.count && census.resources == 2)
    #expect(census.scopes == facts.scopes.count && census.scopes == 2)
    #expect(census.spans == facts.spans.count && census.spans == 4)
    #expect(!census.isExcessive)
    #expect(census.readingBytes > 4 * MemoryLayout<SpanFacts>.stride)
  }

  @Test func emptyPartsAreExcessiveWhereTheyAreMany() throws {
    for count in [1000, 100_000] {
      let spans = Self.field(0x0a, Self.field(0x12, Self.empties(0x12, count)))
      let scopes = Self.field(0x0a, Self.empties(0x12, 4 * count))
      let resources = Self.empties(0x0a, 4 * count)
      for request in [spans, scopes, resources] {
        #expect(try RequestCensus(request.span.bytes).isExcessive == (count == 100_000), "\(count)")
      }
    }
  }

  /// However small spans are: with both IDs they are never too many.
  @Test func spansWithIDsNeverAre() throws {
    let span = Self.field(
      0x12, Self.field(0x0a, [UInt8](repeating: 1, count: 16)) + Self.field(0x12, [UInt8](repeating: 1, count: 8)))
    let request = Self.field(0x0a, Self.field(0x12, (0..<100_000).flatMap { _ in span }))
    let census = try RequestCensus(request.span.bytes)
    #expect(!census.isExcessive)
    #expect(census.spans == 100_000)
  }

  @Test func faultsOfStructureAreFound() {
    for bytes: [UInt8] in [[0x0a, 0x7f], [0x0a, 2, 0x12, 5], [0x0a, 4, 0x12, 2, 0x12, 9], [0x02, 0], [0x0f]] {
      #expect(throws: WireFault.self) { try RequestCensus(bytes.span.bytes) }
    }
  }
}
