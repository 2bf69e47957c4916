import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@Suite("Walk over a request")
struct RequestWalkTests {
  /// Compares the facts of a request with what swift-protobuf makes of it.
  static func compare(_ bytes: [UInt8], _ oracle: Request, _ seed: UInt64, _ facts: RequestFacts) {
    #expect(facts.spans.map { OracleSpan($0, in: bytes) } == OracleSpan.all(in: oracle), "seed \(seed)")
    #expect(facts.resources.count == oracle.resourceSpans.count, "seed \(seed)")
    #expect(facts.scopes.count == oracle.resourceSpans.reduce(0) { $0 + $1.scopeSpans.count }, "seed \(seed)")
    for (index, message) in oracle.resourceSpans.enumerated() where index < facts.resources.count {
      let resource = facts.resources[index]
      let attributes = message.resource.attributes
      #expect(bytes.text(resource.service) == attributes.first(["service.name"]), "seed \(seed)")
      let regionKeys = ["region", "cloud.region", "deployment.region", "topology.kubernetes.io/region"]
      #expect(bytes.text(resource.region) == attributes.first(regionKeys), "seed \(seed)")
      #expect(resource.resourceRecord.isEmpty == !message.hasResource, "seed \(seed)")
      #expect(resource.scopes.count == message.scopeSpans.count, "seed \(seed)")
      #expect(resource.spans.count == message.scopeSpans.reduce(0) { $0 + $1.spans.count }, "seed \(seed)")
    }
  }

  @Test("finds what swift-protobuf finds", arguments: 0..<60 as Range<UInt64>)
  func realistic(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let request = generator.request(spans: 30)
    let bytes: [UInt8] = try request.serializedBytes()
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: oracleKeys)
    #expect(facts.spans.count == 30)
    Self.compare(bytes, request, seed, facts)
  }

  @Test("masks set trace IDs apart and nothing else", arguments: 0..<10 as Range<UInt64>)
  func setApart(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes: [UInt8] = try generator.request(spans: 30).serializedBytes()
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: oracleKeys)
    let before = facts.spans
    facts.setApart(by: TraceID())
    #expect(facts.spans.map(\.traceID) == before.map(\.traceID), "seed \(seed)")
    let mask = TraceID(high: 0x8000_0000_0000_0001, low: 2)
    facts.setApart(by: mask)
    for (span, old) in zip(facts.spans, before) {
      #expect(span.traceID == TraceID(high: old.traceID.high ^ mask.high, low: old.traceID.low ^ mask.low))
      #expect(span.randomness == old.randomness && span.traits == old.traits && span.spanID == old.spanID)
      #expect(span.parentID == old.parentID && span.body == old.body, "seed \(seed)")
    }
    facts.setApart(by: mask)
    #expect(facts.spans.map(\.traceID) == before.map(\.traceID), "seed \(seed)")
  }

  @Test("finds it in any order, beside unknown fields, in repeated fields", arguments: 0..<120 as Range<UInt64>)
  func weird(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes = generator.weirdBytes(spans: 15)
    let oracle = try Request(serializedBytes: bytes)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: oracleKeys)
    Self.compare(bytes, oracle, seed, facts)
  }

  @Test("takes the sampling facts from tracestate, else from the trace ID")
  func sampling() throws {
    var first = ProtobufWriter()
    first.bytes(1, Array(1...16) as [UInt8])
    first.string(3, "a=1,ot=th:c;rv:00000000000001")
    var second = ProtobufWriter()
    second.bytes(1, Array(1...16) as [UInt8])
    let bytes = request(spans: [first.bytes, second.bytes])
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    #expect(facts.spans[0].traits == [.hasOT, .hasThreshold, .hasRandomness, .invalidSpanID])
    #expect(facts.spans[0].threshold == Threshold(rawValue: 0xc << 52))
    #expect(facts.spans[0].randomness == 1)
    #expect(facts.spans[1].threshold == .always)
    #expect(facts.spans[1].randomness == 0x0a_0b0c_0d0e_0f10)
  }

  @Test("a request without spans, resources or anything is a request")
  func empty() throws {
    let nothing: [UInt8] = []
    let scope: [UInt8] = [0x0a, 0x02, 0x12, 0x00]
    var facts = RequestFacts()
    try facts.walk(nothing.span.bytes, keys: AttributeKeys())
    #expect(facts.resources.isEmpty)
    try facts.walk(scope.span.bytes, keys: AttributeKeys())
    #expect(facts.scopes.count == 1 && facts.spans.isEmpty)
  }

  @Test("forgets the request before, also after a fault")
  func reuse() throws {
    let bytes = request(spans: [[], []])
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    #expect(MutationTests.fault(Array(bytes.dropLast()), &facts) != nil)
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    #expect(facts.resources.count == 1 && facts.scopes.count == 1 && facts.spans.count == 2)
    #expect(facts.resourceGaps.isEmpty && facts.scopeGaps.isEmpty)
  }

  @Test("an error span is one by status, attribute or HTTP status of a call")
  func errors() throws {
    func span(kind: UInt64, _ key: String, _ value: AttributeValue, kindLast: Bool = false) -> [UInt8] {
      var writer = ProtobufWriter()
      if !kindLast { writer.varint(6, kind) }
      writer.bytes(9, KeyValueEncoder.encode(key: key, value: value))
      if kindLast { writer.varint(6, kind) }
      return writer.bytes
    }
    var status = ProtobufWriter()
    status.message(15) { $0.varint(3, 2) }
    let bytes = request(spans: [
      status.bytes,
      span(kind: 0, "error", .bool(true)), span(kind: 0, "error", .string("true")),
      span(kind: 0, "error", .string("True")), span(kind: 0, "error", .int(1)),
      span(kind: 2, "http.status_code", .int(500)), span(kind: 3, "http.response.status_code", .string("503")),
      span(kind: 2, "http.status_code", .int(499)), span(kind: 4, "http.status_code", .int(500)),
      span(kind: 3, "http.status_code", .int(599), kindLast: true), span(kind: 3, "http.status_code", .double(500)),
    ])
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    let found = facts.spans.map { $0.traits.contains(.error) }
    #expect(found == [true, true, true, false, false, true, true, false, false, true, false])
  }

  @Test("text that is not UTF-8 is read and kept as it came")
  func invalidText() throws {
    var writer = ProtobufWriter()
    writer.bytes(5, [0xff, 0xfe])
    writer.message(9) { attribute in
      attribute.bytes(1, Array("peer.region".utf8))
      attribute.message(2) { $0.bytes(1, [0xc3]) }
    }
    let bytes = request(spans: [writer.bytes])
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    #expect(bytes.part(facts.spans[0].calleeRegion) == [0xc3])
    var output: [UInt8] = []
    let indices: [UInt32] = [0]
    BatchWriter.append(spans: indices.span, of: facts, in: bytes.span.bytes, to: &output)
    #expect(output == bytes)
  }

  /// A request of one resource and one scope with these span messages.
  func request(spans: [[UInt8]]) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.message(1) { $0.message(2) { scope in for span in spans { scope.bytes(2, span) } } }
    return writer.bytes
  }
}
