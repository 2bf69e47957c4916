import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@Suite("Batch writer")
struct BatchWriterTests {
  /// The request without the spans that are not wanted, as an independent implementation cuts it.
  static func filtered(_ request: Request, keep: (Int) -> Bool) -> Request {
    var result = Request()
    var index = 0
    for resource in request.resourceSpans {
      var resource = resource
      resource.scopeSpans = resource.scopeSpans.compactMap { scope in
        var scope = scope
        scope.spans = scope.spans.filter { _ in
          defer { index += 1 }
          return keep(index)
        }
        return scope.spans.isEmpty ? nil : scope
      }
      if !resource.scopeSpans.isEmpty { result.resourceSpans.append(resource) }
    }
    return result
  }

  static func records(_ bytes: [UInt8]) throws -> [[UInt8]] {
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    return facts.spans.map { Array(bytes[$0.record.indices]) }
  }

  static func generate(_ seed: UInt64, _ generator: inout OTLPGenerator) -> [UInt8] {
    seed % 2 == 0 ? generator.requestBytes(spans: 40) : generator.weirdBytes(spans: 15)
  }

  @Test("what is kept is what the oracle keeps, bit for bit", arguments: 0..<120 as Range<UInt64>)
  func plans(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes = Self.generate(seed, &generator)
    let oracle = try Request(serializedBytes: bytes)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    var plan = RewritePlan()
    for share in [0, 1, 5, 9, 10] {
      plan.reset(spans: facts.spans.count, resources: facts.resources.count)
      let kept = facts.spans.indices.filter { _ in Int.random(in: 0..<10, using: &generator.random) < share }
      for index in facts.spans.indices where !kept.contains(index) { plan.spans[index] = .drop }
      var output: [UInt8] = []
      let result = BatchWriter.append(
        0..<facts.spans.count, limit: .max, of: facts, in: bytes.span.bytes, plan: plan, to: &output)
      #expect(result.written == kept.count && result.next == facts.spans.count, "seed \(seed)")
      #expect(try Request(serializedBytes: output) == Self.filtered(oracle) { kept.contains($0) }, "seed \(seed)")
      #expect(try Self.records(output) == kept.map { Array(bytes[facts.spans[$0].record.indices]) }, "seed \(seed)")
      var listed: [UInt8] = []
      let indices = kept.map(UInt32.init)
      BatchWriter.append(spans: indices.span, of: facts, in: bytes.span.bytes, to: &listed)
      #expect(listed == output, "seed \(seed)")
      if share == 10, seed % 2 == 0 { #expect(output == bytes, "seed \(seed)") }
    }
  }

  @Test("a limit cuts a request into parts of that many spans", arguments: 0..<60 as Range<UInt64>)
  func limits(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes = Self.generate(seed, &generator)
    let oracle = try Request(serializedBytes: bytes)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    var plan = RewritePlan()
    plan.reset(spans: facts.spans.count, resources: facts.resources.count)
    for index in facts.spans.indices where generator.random.one(in: 3) { plan.spans[index] = .drop }
    let kept = facts.spans.indices.filter { if case .keep = plan.spans[$0] { true } else { false } }
    for limit in [1, 2, 3, 7, max(kept.count - 1, 1), max(kept.count, 1), kept.count + 1] {
      var next = 0
      var all: [UInt8] = []
      var joined = Request()
      var parts = 0
      while next < facts.spans.count {
        let start = next
        var output: [UInt8] = []
        let result = BatchWriter.append(
          next..<facts.spans.count, limit: limit, of: facts, in: bytes.span.bytes, plan: plan, to: &output)
        next = result.next
        let part = kept.filter { (start..<next).contains($0) }
        #expect(result.written == part.count && part.count <= limit, "seed \(seed) limit \(limit)")
        #expect(try Request(serializedBytes: output) == Self.filtered(oracle) { part.contains($0) }, "seed \(seed)")
        joined.resourceSpans += try Request(serializedBytes: output).resourceSpans
        all += output
        parts += 1
      }
      #expect(
        parts == max((kept.count + limit - 1) / limit, facts.spans.isEmpty ? 0 : 1), "seed \(seed) limit \(limit)")
      #expect(try Request(serializedBytes: all) == joined, "seed \(seed) limit \(limit)")
    }
  }

  @Test("one part for each span is the whole request", arguments: 0..<20 as Range<UInt64>)
  func singleSpans(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes = Self.generate(seed, &generator)
    let oracle = try Request(serializedBytes: bytes)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    for index in facts.spans.indices {
      var output: [UInt8] = []
      BatchWriter.append(spans: [UInt32(index)].span, of: facts, in: bytes.span.bytes, to: &output)
      #expect(try Request(serializedBytes: output) == Self.filtered(oracle) { $0 == index }, "seed \(seed)")
    }
  }

  @Test("replaced spans and resources stand where the old ones were", arguments: 0..<60 as Range<UInt64>)
  func replacements(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes = generator.requestBytes(spans: 30)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    var expected = try Request(serializedBytes: bytes)
    var plan = RewritePlan()
    plan.reset(spans: facts.spans.count, resources: facts.resources.count)
    func scratch(_ message: some SwiftProtobuf.Message) throws -> ByteRange {
      let start = plan.scratch.count
      plan.scratch += try message.serializedBytes() as [UInt8]
      return ByteRange(start, plan.scratch.count)
    }
    var span = 0
    for resource in expected.resourceSpans.indices {
      if generator.random.one(in: 2) {
        expected.resourceSpans[resource].resource = .with { $0.droppedAttributesCount = UInt32(resource) }
        plan.resources[resource] = .replace(try scratch(expected.resourceSpans[resource].resource))
      }
      for scope in expected.resourceSpans[resource].scopeSpans.indices {
        for index in expected.resourceSpans[resource].scopeSpans[scope].spans.indices {
          if generator.random.one(in: 3) {
            let edited = generator.span()
            expected.resourceSpans[resource].scopeSpans[scope].spans[index] = edited
            plan.spans[span] = .replace(try scratch(edited))
          } else if generator.random.one(in: 3) {
            plan.spans[span] = .drop
          }
          span += 1
        }
      }
    }
    var output: [UInt8] = [0x12, 0x00]
    _ = BatchWriter.append(0..<span, limit: .max, of: facts, in: bytes.span.bytes, plan: plan, to: &output)
    let kept = plan.spans.map { if case .drop = $0 { false } else { true } }
    #expect(
      try Request(serializedBytes: Array(output.dropFirst(2))) == Self.filtered(expected) { kept[$0] }, "seed \(seed)")
  }

  @Test("an absent resource gets the replacement, among several the last one does")
  func resources() throws {
    var writer = ProtobufWriter()
    writer.message(1) { $0.message(2) { $0.message(2) { $0.varint(6, 1) } } }
    writer.message(1) { resource in
      resource.message(1) { $0.varint(2, 5) }
      resource.message(2) { $0.message(2) { $0.varint(6, 2) } }
      resource.message(1) { $0.varint(2, 6) }
      resource.string(3, "schema")
    }
    let bytes = writer.bytes
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    var plan = RewritePlan()
    plan.reset(spans: 2, resources: 2)
    plan.scratch = [0x10, 0x09]
    plan.resources = [.replace(ByteRange(0, 2)), .replace(ByteRange(0, 2))]
    var output: [UInt8] = []
    _ = BatchWriter.append(0..<2, limit: 2, of: facts, in: bytes.span.bytes, plan: plan, to: &output)
    var expected = ProtobufWriter()
    expected.message(1) { resource in
      resource.message(1) { $0.varint(2, 9) }
      resource.message(2) { $0.message(2) { $0.varint(6, 1) } }
    }
    expected.message(1) { resource in
      resource.message(1) { $0.varint(2, 5) }
      resource.message(2) { $0.message(2) { $0.varint(6, 2) } }
      resource.message(1) { $0.varint(2, 9) }
      resource.string(3, "schema")
    }
    #expect(output == expected.bytes)
  }
}
