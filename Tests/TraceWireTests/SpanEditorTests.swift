import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@Suite("Span and resource editors")
struct SpanEditorTests {
  private typealias Span = OTLPGenerator.Span

  /// Random edits of so many attributes, in order.
  static func edits(_ count: Int, _ random: inout SeededGenerator) -> [AttributeEdit] {
    (0..<count).compactMap { ordinal in
      switch Int.random(in: 0..<6, using: &random) {
      case 0, 1: AttributeEdit(ordinal: ordinal, action: .drop)
      case 2: AttributeEdit(ordinal: ordinal, action: .replaceString(Array(repeating: 0x61, count: 40 * ordinal)))
      default: nil
      }
    }
  }

  static func apply(_ edits: [AttributeEdit], to attributes: inout [OTLPGenerator.KeyValue]) {
    for edit in edits.reversed() {
      switch edit.action {
      case .drop: attributes.remove(at: edit.ordinal)
      case .replaceString(let text):
        attributes[edit.ordinal].value = .with { $0.stringValue = String(decoding: text, as: UTF8.self) }
      }
    }
  }

  @Test("spans are edited as the oracle edits them", arguments: 0..<100 as Range<UInt64>)
  func spans(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let bytes = BatchWriterTests.generate(seed, &generator)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    var output: [UInt8] = [1, 2, 3]
    for span in facts.spans {
      var expected = try Span(serializedBytes: bytes.part(span.body))
      let edits = Self.edits(expected.attributes.count, &generator.random)
      Self.apply(edits, to: &expected.attributes)
      let drops = UInt32(edits.count { $0.action == .drop })
      let (sum, overflow) = expected.droppedAttributesCount.addingReportingOverflow(drops)
      expected.droppedAttributesCount = overflow ? .max : sum
      let state: TraceStateEdit =
        [.keep, .replace([]), .replace(Array("ot=th:8".utf8))].randomElement(
          using: &generator.random) ?? .keep
      if case .replace(let text) = state { expected.traceState = String(decoding: text, as: UTF8.self) }
      let start = output.count
      let range = try SpanEditor.append(
        span.body, of: bytes.span.bytes, traceState: state, attributes: edits, to: &output)
      #expect(range.indices == start..<output.count)
      #expect(try Span(serializedBytes: output.part(range)) == expected, "seed \(seed)")
    }
  }

  @Test("without edits nothing changes; only the tracestate changes where only it is edited")
  func minimal() throws {
    var writer = ProtobufWriter()
    writer.bytes(1, Array(1...16) as [UInt8])
    writer.string(3, "a=1")
    writer.varint(99, 7)
    writer.bytes(9, KeyValueEncoder.encode(key: "k", value: .int(1)))
    writer.string(3, "a=2")
    writer.varint(10, 4)
    let body = ByteRange(0, writer.bytes.count)
    var output: [UInt8] = []
    _ = try SpanEditor.append(body, of: writer.bytes.span.bytes, traceState: .keep, attributes: [], to: &output)
    #expect(output == writer.bytes)
    var expected = ProtobufWriter()
    expected.bytes(1, Array(1...16) as [UInt8])
    expected.string(3, "ot=th:8")
    expected.varint(99, 7)
    expected.bytes(9, KeyValueEncoder.encode(key: "k", value: .int(1)))
    expected.varint(10, 4)
    output = []
    _ = try SpanEditor.append(
      body, of: writer.bytes.span.bytes, traceState: .replace(Array("ot=th:8".utf8)), attributes: [], to: &output)
    #expect(output == expected.bytes)
  }

  @Test("a dropped attribute is counted, and the count stays at its largest", arguments: [0, 1, UInt32.max - 1, .max])
  func droppedCount(before: UInt32) throws {
    var writer = ProtobufWriter()
    for key in ["a", "b", "c"] { writer.bytes(9, KeyValueEncoder.encode(key: key, value: .bool(true))) }
    if before > 0 { writer.varint(10, UInt64(before)) }
    var output: [UInt8] = []
    let edits = [AttributeEdit(ordinal: 0, action: .drop), AttributeEdit(ordinal: 2, action: .drop)]
    let body = ByteRange(0, writer.bytes.count)
    _ = try SpanEditor.append(body, of: writer.bytes.span.bytes, traceState: .keep, attributes: edits, to: &output)
    let edited = try Span(serializedBytes: output)
    #expect(edited.attributes.map(\.key) == ["b"])
    #expect(edited.droppedAttributesCount == (before >= .max - 1 ? .max : before + 2))
  }

  @Test("key and unknown fields of an attribute outlive its value")
  func unknownFields() throws {
    var attribute = ProtobufWriter()
    attribute.varint(50, 1)
    attribute.message(2) { $0.int(3, 5) }
    attribute.string(1, "key")
    attribute.message(2) { $0.string(1, "old") }
    var writer = ProtobufWriter()
    writer.bytes(9, attribute.bytes)
    var output: [UInt8] = []
    let edit = AttributeEdit(ordinal: 0, action: .replaceString(Array("new".utf8)))
    let body = ByteRange(0, writer.bytes.count)
    _ = try SpanEditor.append(body, of: writer.bytes.span.bytes, traceState: .keep, attributes: [edit], to: &output)
    var expected = ProtobufWriter()
    expected.message(9) { attribute in
      attribute.varint(50, 1)
      attribute.string(1, "key")
      attribute.message(2) { $0.string(1, "new") }
    }
    #expect(output == expected.bytes)
  }

  @Test("a damaged span is a fault, never a crash", arguments: 0..<40 as Range<UInt64>)
  func damaged(seed: UInt64) throws {
    var generator = OTLPGenerator(seed: seed)
    let original: [UInt8] = try generator.span().serializedBytes()
    for _ in 0..<50 {
      var bytes = original
      for _ in 0..<3 {
        let position = Int.random(in: 0..<bytes.count, using: &generator.random)
        bytes[position] = UInt8.random(in: 0...255, using: &generator.random)
      }
      let edits = [AttributeEdit(ordinal: 0, action: .drop), AttributeEdit(ordinal: 1, action: .replaceString([0x62]))]
      var output: [UInt8] = []
      do {
        let body = ByteRange(0, bytes.count)
        let range = try SpanEditor.append(
          body, of: bytes.span.bytes, traceState: .replace([0x61]), attributes: edits, to: &output)
        #expect(range.count == output.count)
      } catch {
        #expect((0...bytes.count).contains(error.offset), "seed \(seed)")
      }
    }
  }

  @Test("resources are edited as the oracle edits them", arguments: 0..<40 as Range<UInt64>)
  func resources(seed: UInt64) throws {
    typealias Resource = Opentelemetry_Proto_Resource_V1_Resource
    var generator = OTLPGenerator(seed: seed)
    let bytes = BatchWriterTests.generate(seed, &generator)
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    let added: [(String, AttributeValue, OTLPGenerator.AnyValue)] = [
      ("cloud.region", .string("us-east-1"), .with { $0.stringValue = "us-east-1" }),
      ("b", .bool(true), .with { $0.boolValue = true }), ("i", .int(-1), .with { $0.intValue = -1 }),
      ("d", .double(0.5), .with { $0.doubleValue = 0.5 }),
    ]
    for resource in facts.resources {
      var expected = try Resource(serializedBytes: bytes.part(resource.resource))
      let edits = Self.edits(expected.attributes.count, &generator.random)
      Self.apply(edits, to: &expected.attributes)
      for (key, _, value) in added {
        expected.attributes.append(
          .with {
            $0.key = key
            $0.value = value
          })
      }
      var output: [UInt8] = []
      let encoded = added.map { KeyValueEncoder.encode(key: $0.0, value: $0.1) }
      _ = try ResourceEditor.append(
        resource.resource, of: bytes.span.bytes, attributes: edits, adding: encoded, to: &output)
      #expect(try Resource(serializedBytes: output) == expected, "seed \(seed)")
    }
  }
}
