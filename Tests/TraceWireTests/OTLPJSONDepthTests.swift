import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@Suite("OTLP/JSON limits") struct OTLPJSONDepthTests {
  private func fault(_ json: String) -> WireFault? {
    do {
      _ = try OTLPJSON.translate([UInt8](json.utf8))
      return nil
    } catch {
      return error
    }
  }

  /// A request whose one attribute is an array in an array and so on.
  private func nestedArrays(_ count: Int) -> String {
    #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"value":"#
      + String(repeating: #"{"arrayValue":{"values":["#, count: count)
      + "{}" + String(repeating: "]}}", count: count) + "}]}]}]}]}"
  }

  @Test func messagesNestToTheLimit() throws {
    // Request, resource, scope, span, attribute, the innermost value; two messages an array.
    let fitting = (ProtobufCursor.depthMax - 6) / 2
    let bytes = try OTLPJSON.translate([UInt8](nestedArrays(fitting).utf8))
    var options = BinaryDecodingOptions()
    options.messageDepthLimit = ProtobufCursor.depthMax
    let request = try OTLPGenerator.Request(serializedBytes: bytes, options: options)
    var value = request.resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value
    var depth = 0
    while let inner = value.arrayValue.values.first {
      value = inner
      depth += 1
    }
    #expect(depth == fitting)
    #expect(fault(nestedArrays(fitting + 1))?.kind == .tooDeep)
    #expect(fault(nestedArrays(25_000))?.kind == .tooDeep)
  }

  @Test(arguments: ["[", "{\"a\":", "[{\"a\":["])
  func unknownFieldsNestToTheLimit(_ opening: String) {
    let containers = opening.count { $0 == "[" || $0 == "{" }
    func json(_ count: Int) -> String {
      let closing = String(opening.compactMap { $0 == "[" ? "]" : $0 == "{" ? "}" : nil }.reversed())
      return "{\"unknown\":" + String(repeating: opening, count: count) + "1" + String(repeating: closing, count: count)
        + "}"
    }
    let fitting = ProtobufCursor.depthMax / containers
    #expect(fault(json(fitting)) == nil)
    #expect(fault(json(fitting + 1))?.kind == .tooDeep)
    #expect(fault(json(25_000))?.kind == .tooDeep)
    #expect(fault("{\"unknown\":" + String(repeating: opening, count: 1_000_000))?.kind == .tooDeep)
  }

  @Test func sizesAroundEveryLengthOfLength() throws {
    for size in [0, 1, 126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 2_097_151, 2_097_152] {
      for escape in ["", #"\n"#] {
        let text = String(repeating: "x", count: size)
        let json = #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"\#(text)\#(escape)","kind":2}]}]}]}"#
        let request = try OTLPGenerator.Request(serializedBytes: OTLPJSON.translate([UInt8](json.utf8)))
        let span = request.resourceSpans[0].scopeSpans[0].spans[0]
        #expect(span.name.utf8.count == size + (escape.isEmpty ? 0 : 1))
        #expect(span.kind == .server)
      }
    }
  }

  @Test func longNumbersTakeLinearTime() {
    let digits = String(repeating: "9", count: 1 << 20)
    for text in [digits, "0.\(digits)", "1e\(digits)", "1e-\(digits)", "-\(digits).\(digits)"] {
      #expect(fault("{\"unknown\":\(text)}") == nil)
      let attribute = #"{"resourceSpans":[{"resource":{"attributes":[{"value":{"#
      #expect(fault(attribute + "\"intValue\":\(text)}}]}}]}")?.kind == .badValue)
      _ = fault(attribute + "\"doubleValue\":\(text)}}]}}]}")
    }
  }
}
