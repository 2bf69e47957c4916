import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@Suite("Attributes of a message")
struct SpanAttributesTests {
  @Test("are those of the oracle, in order", arguments: 0..<60 as Range<UInt64>)
  func attributes(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes = BatchWriterTests.generate(seed, &generator)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    for span in facts.spans {
      let oracle = try OTLPGenerator.Span(serializedBytes: bytes.part(span.body))
      try Self.compare(span.body, .span, bytes, oracle.attributes, seed)
    }
    for resource in facts.resources {
      let oracle = try Opentelemetry_Proto_Resource_V1_Resource(serializedBytes: bytes.part(resource.resource))
      try Self.compare(resource.resource, .resource, bytes, oracle.attributes, seed)
    }
  }

  static func compare(
    _ body: ByteRange, _ owner: SpanAttributes.Owner, _ bytes: [UInt8], _ oracle: [OTLPGenerator.KeyValue],
    _ seed: UInt64
  ) throws {
    var attributes = SpanAttributes(body, of: bytes.span.bytes, owner: owner)
    var count = 0
    while let attribute = try attributes.next() {
      #expect(attribute.ordinal == count, "seed \(seed)")
      guard count < oracle.count else { break }
      #expect(bytes.text(attribute.key) == oracle[count].key, "seed \(seed)")
      if case .stringValue(let text) = oracle[count].value.value {
        #expect(attribute.string.map { bytes.text($0) } == text, "seed \(seed)")
      } else {
        #expect(attribute.string == nil, "seed \(seed)")
      }
      #expect(attribute.record.upper == attribute.body.upper && attribute.record.lower < attribute.body.lower)
      #expect(try OTLPGenerator.KeyValue(serializedBytes: bytes.part(attribute.body)) == oracle[count])
      count += 1
    }
    #expect(count == oracle.count, "seed \(seed)")
  }
}
