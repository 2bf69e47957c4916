import SwiftProtobuf
import TestKit
import Testing
import TraceWire

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

private func line(_ bytes: [UInt8]) throws(WireFault) -> String {
  String(decoding: try OTLPJSONText.line(bytes.span.bytes), as: UTF8.self)
}

@Suite("OTLP/JSON as output") struct OTLPJSONTextTests {
  /// Read back, the line is what swift-protobuf reads from the bytes, whatever their order and repetitions.
  @Test func saysWhatTheBytesSay() throws {
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    for seed in UInt64(0)..<300 {
      var generator = OTLPGenerator(seed: seed)
      let spans = Int(seed % 8)
      let bytes = seed % 3 == 0 ? generator.requestBytes(spans: spans) : generator.weirdBytes(spans: spans)
      let wanted = try Request(serializedBytes: bytes, options: options)
      let text = try OTLPJSONText.line(bytes.span.bytes)
      #expect(!text.contains(UInt8(ascii: "\n")))
      let again = try Request(serializedBytes: OTLPJSON.translate(text))
      let isEqual = again == wanted
      #expect(isEqual, "seed \(seed)")
    }
  }

  @Test func everyField() throws {
    var request = Request()
    var resource = Opentelemetry_Proto_Trace_V1_ResourceSpans()
    resource.resource.attributes = [attribute("service.name", .with { $0.stringValue = "a\"b\\c\n\u{1}\u{7f}é" })]
    resource.resource.droppedAttributesCount = .max
    var scope = Opentelemetry_Proto_Trace_V1_ScopeSpans()
    scope.scope.name = "lib"
    var span = OTLPGenerator.Span()
    span.traceID = Data(0x10...0x1f)
    span.spanID = Data(0xf8...0xff)
    span.kind = .client
    span.startTimeUnixNano = 1_700_000_000_000_000_001
    span.endTimeUnixNano = .max
    span.attributes = [
      attribute("i", .with { $0.intValue = .min }), attribute("b", .with { $0.boolValue = false }),
      attribute("d", .with { $0.doubleValue = -0.0 }), attribute("n", .with { $0.doubleValue = .nan }),
      attribute("f", .with { $0.doubleValue = -.infinity }), attribute("e", .with { $0.stringValue = "" }),
      attribute("y", .with { $0.bytesValue = Data([0xfb, 0xff]) }), attribute("z", OTLPGenerator.AnyValue()),
      attribute(
        "l",
        .with {
          $0.arrayValue.values = [.with { $0.doubleValue = 1e-7 }, .with { $0.kvlistValue.values = [] }]
        }),
    ]
    span.status.code = .error
    span.flags = 0x101
    scope.spans = [span]
    resource.scopeSpans = [scope]
    request.resourceSpans = [resource]
    let text = try line(request.serializedBytes())
    #expect(
      text == #"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","#
        + #""value":{"stringValue":"a\"b\\c\n\u0001"# + "\u{7f}é\"}}],"
        + #""droppedAttributesCount":4294967295},"scopeSpans":[{"scope":{"name":"lib"},"spans":[{"#
        + #""traceId":"101112131415161718191a1b1c1d1e1f","spanId":"f8f9fafbfcfdfeff","kind":3,"#
        + #""startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"18446744073709551615","attributes":["#
        + #"{"key":"i","value":{"intValue":"-9223372036854775808"}},{"key":"b","value":{"boolValue":false}},"#
        + #"{"key":"d","value":{"doubleValue":-0.0}},{"key":"n","value":{"doubleValue":"NaN"}},"#
        + #"{"key":"f","value":{"doubleValue":"-Infinity"}},{"key":"e","value":{"stringValue":""}},"#
        + #"{"key":"y","value":{"bytesValue":"+/8="}},{"key":"z","value":{}},"#
        + #"{"key":"l","value":{"arrayValue":{"values":[{"doubleValue":1e-07},{"kvlistValue":{}}]}}}],"#
        + #""status":{"code":2},"flags":257}]}]}]}"#)
  }

  private func attribute(_ key: String, _ value: OTLPGenerator.AnyValue) -> OTLPGenerator.KeyValue {
    .with {
      $0.key = key
      $0.value = value
    }
  }

  /// A name in a span, in a scope, in a resource.
  private func request(name: [UInt8]) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.message(1) { $0.message(2) { $0.message(2) { $0.bytes(5, name) } } }
    return writer.bytes
  }

  @Test(
    arguments: [
      ([0x61, 0xff, 0x62], "a\u{fffd}b"), ([0xc3], "\u{fffd}"), ([0xc3, 0x28], "\u{fffd}("),
      ([0xe2, 0x82, 0x22], "\u{fffd}\\\""), ([0xed, 0xa0, 0x80], "\u{fffd}\u{fffd}\u{fffd}"),
      ([0xf0, 0x9f, 0x98, 0x80, 0xfe, 0x0a], "😀\u{fffd}\\n"), ([0x00], "\\u0000"), ([0x1f], "\\u001f"),
    ] as [([UInt8], String)]) func whatIsNotUTF8IsReplaced(_ name: [UInt8], _ wanted: String) throws
  {
    let text = try line(request(name: name))
    #expect(text == #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":""# + wanted + #""}]}]}]}"#)
  }

  @Test func emptyMessagesStay() throws {
    #expect(try line([]) == "{}")
    #expect(try line([0x0a, 0]) == #"{"resourceSpans":[{}]}"#)
    #expect(try line([0x0a, 2, 0x0a, 0]) == #"{"resourceSpans":[{"resource":{}}]}"#)
  }

  /// A request whose one attribute is an array in an array and so on.
  private func nestedArrays(_ count: Int) -> [UInt8] {
    var value: [UInt8] = []
    for _ in 0..<count {
      var array = ProtobufWriter()
      array.message(5) { $0.bytes(1, value) }
      value = array.bytes
    }
    var writer = ProtobufWriter()
    writer.message(1) { $0.message(2) { $0.message(2) { $0.message(9) { $0.bytes(2, value) } } } }
    return writer.bytes
  }

  @Test func messagesNestToTheLimit() throws {
    let fitting = (ProtobufCursor.depthMax - 6) / 2
    let text = try OTLPJSONText.line(nestedArrays(fitting).span.bytes)
    #expect(try OTLPJSON.translate(text) == nestedArrays(fitting))
    let deeper = nestedArrays(fitting + 1)
    let error = #expect(throws: WireFault.self) { try OTLPJSONText.line(deeper.span.bytes) }
    #expect(error?.kind == .tooDeep)
  }

  @Test func refusesWhatIsNoProtobuf() throws {
    var generator = OTLPGenerator(seed: 3)
    let bytes = generator.requestBytes(spans: 2)
    for end in bytes.indices {
      let cut = Array(bytes[..<end])
      // A cut between two resources is a whole request.
      guard (try? Request(serializedBytes: cut)) == nil else { continue }
      let error = #expect(throws: WireFault.self, "cut at \(end)") { try OTLPJSONText.line(cut.span.bytes) }
      #expect((0...end).contains(error?.offset ?? -1))
    }
  }

  /// Many pieces of one message cost what they are long, not their product.
  @Test func repeatedMessagesTakeLinearTime() throws {
    var resource = ProtobufWriter()
    for _ in 0..<200_000 { resource.message(1) { $0.varint(2, 1) } }
    var writer = ProtobufWriter()
    writer.bytes(1, resource.bytes)
    #expect(try line(writer.bytes) == #"{"resourceSpans":[{"resource":{"droppedAttributesCount":1}}]}"#)
  }
}
