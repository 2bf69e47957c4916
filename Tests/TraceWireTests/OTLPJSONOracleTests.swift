import SwiftProtobuf
import TestKit
import Testing
import TraceWire

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What swift-protobuf makes of the same JSON.
@Suite("OTLP/JSON against swift-protobuf") struct OTLPJSONOracleTests {
  /// OTLP/JSON of a request: swift-protobuf's JSON with the IDs' base64 made hex.
  private func json(_ request: Request, _ random: inout SeededGenerator) throws -> [UInt8] {
    var options = JSONEncodingOptions()
    options.alwaysPrintEnumsAsInts = random.one(in: 2)
    options.preserveProtoFieldNames = random.one(in: 3)
    options.alwaysPrintInt64sAsNumbers = random.one(in: 3)
    let text = try request.jsonString(options: options)
    return [UInt8](
      text.replacing(/"(traceId|trace_id|spanId|span_id|parentSpanId|parent_span_id)":"([^"]*)"/) { match in
        let bytes = GRPCBinaryHeader.decode([UInt8](match.2.utf8)) ?? []
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: bytes.count % 2 == 0) }
        return "\"\(match.1)\":\"\(hex.joined())\""
      }.utf8)
  }

  /// The same JSON, written otherwise: whitespace between tokens, characters of strings as escapes.
  private func roughened(_ json: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var output: [UInt8] = []
    var isInString = false
    var isEscaped = false
    for byte in json {
      let isQuote = byte == UInt8(ascii: "\"") && !isEscaped
      if isInString, !isQuote, !isEscaped, byte != UInt8(ascii: "\\"), byte < 0x80, random.one(in: 20) {
        output += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
        continue
      }
      if !isInString, ["{", "}", "[", "]", ",", ":"].contains(Character(UnicodeScalar(byte))) {
        for _ in 0..<Int(random.next() % 3) { output.append([0x20, 0x09, 0x0a, 0x0d][Int(random.next() % 4)]) }
        output.append(byte)
        for _ in 0..<Int(random.next() % 3) { output.append([0x20, 0x09, 0x0a, 0x0d][Int(random.next() % 4)]) }
        continue
      }
      output.append(byte)
      isEscaped = isInString && byte == UInt8(ascii: "\\") && !isEscaped
      if isQuote { isInString.toggle() }
    }
    return output
  }

  @Test func givesBackWhatWasEncoded() throws {
    for seed in UInt64(0)..<150 {
      var generator = OTLPGenerator(seed: seed)
      let request = generator.request(spans: Int(seed % 12))
      let json = try json(request, &generator.random)
      for text in [json, roughened(json, &generator.random)] {
        let isEqual = try Request(serializedBytes: OTLPJSON.translate(text)) == request
        #expect(isEqual, "seed \(seed)")
      }
    }
  }

  @Test func refusesEveryTruncation() throws {
    var generator = OTLPGenerator(seed: 7)
    let json = try json(generator.request(spans: 3), &generator.random)
    for end in 0..<json.count {
      let cut = Array(json[..<end])
      #expect(throws: WireFault(.truncated, at: end), "cut at \(end)") { try OTLPJSON.translate(cut) }
    }
  }

  /// Damaged JSON that both read means the same to both. They differ in what they refuse: IDs are no base64 here, a
  /// half surrogate is no fault, and swift-protobuf lets control characters and unknown names of enums pass.
  @Test func agreesOnDamagedRequests() throws {
    var options = JSONDecodingOptions()
    options.ignoreUnknownFields = true
    var agreed = 0
    for seed in UInt64(0)..<1500 {
      var generator = OTLPGenerator(seed: seed)
      var json = try json(generator.request(spans: 1), &generator.random)
      for _ in 0...Int(generator.random.next() % 2) { damage(&json, &generator.random) }
      guard let translated = try? OTLPJSON.translate(json) else { continue }
      var ours = try Request(serializedBytes: translated)
      guard var oracle = try? Request(jsonUTF8Bytes: json, options: options) else { continue }
      agreed += 1
      withoutIDs(&ours)
      withoutIDs(&oracle)
      let isEqual = ours == oracle
      #expect(isEqual, "seed \(seed)")
    }
    #expect(agreed > 150)
  }

  private func damage(_ json: inout [UInt8], _ random: inout SeededGenerator) {
    guard !json.isEmpty else { return }
    let tokens = ["null", "{}", "[]", "0", "-1", "1e5", "\"\"", ",", ":", "}", "]", "\\", "\"", "\\ud800", "true", " "]
    let place = Int(random.next() % UInt64(json.count))
    switch random.next() % 4 {
    case 0: json[place] = UInt8(truncatingIfNeeded: random.next())
    case 1: json.remove(at: place)
    case 2: json.insert(contentsOf: tokens[Int(random.next() % UInt64(tokens.count))].utf8, at: place)
    default:
      let other = min(json.count, place + Int(random.next() % 40))
      json.replaceSubrange(place..<other, with: tokens[Int(random.next() % UInt64(tokens.count))].utf8)
    }
  }

  private func withoutIDs(_ request: inout Request) {
    for resource in request.resourceSpans.indices {
      for scope in request.resourceSpans[resource].scopeSpans.indices {
        for index in request.resourceSpans[resource].scopeSpans[scope].spans.indices {
          var span = request.resourceSpans[resource].scopeSpans[scope].spans[index]
          span.traceID = Data()
          span.spanID = Data()
          span.parentSpanID = Data()
          for link in span.links.indices {
            span.links[link].traceID = Data()
            span.links[link].spanID = Data()
          }
          request.resourceSpans[resource].scopeSpans[scope].spans[index] = span
        }
      }
    }
  }
}
