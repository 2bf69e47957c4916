internal import SwiftProtobuf
internal import TestKit
internal import TraceWire

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// OTLP/JSON becomes protobuf that means the same.
enum JSONTarget {
  typealias Request = OTLPGenerator.Request

  /// The bytes as JSON.
  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    let translated: [UInt8]
    do throws(WireFault) {
      translated = try OTLPJSON.translate(bytes.span.bytes)
    } catch {
      try check((0...bytes.count).contains(error.offset), "a fault at byte \(error.offset) of \(bytes.count)")
      return
    }
    try check(translated.count <= 4 * bytes.count, "\(translated.count) bytes out of \(bytes.count)")
    var ours = try succeeds("swift-protobuf on what was translated") { try Request(serializedBytes: translated) }
    var facts = RequestFacts()
    if let fault = WalkedRequest.fault(translated, &facts, keys: OracleSpan.keys) {
      throw FuzzFinding("the walk on what was translated: \(fault)")
    }
    var options = JSONDecodingOptions()
    options.ignoreUnknownFields = true
    guard var oracle = try? Request(jsonUTF8Bytes: bytes, options: options) else { return }
    ours.forgetIDs()
    oracle.forgetIDs()
    try check(ours.encoded == oracle.encoded, "read \(ours.text), not \(oracle.text)")
  }

  /// The bytes as a protobuf request, of which swift-protobuf makes the JSON.
  static func runEncoded(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    var options = JSONEncodingOptions()
    options.alwaysPrintEnumsAsInts = input.flag()
    options.preserveProtoFieldNames = input.flag()
    options.alwaysPrintInt64sAsNumbers = input.flag()
    var decoding = BinaryDecodingOptions()
    decoding.discardUnknownFields = true
    guard let request = try? Request(serializedBytes: input.data, options: decoding),
      let json: [UInt8] = try? request.jsonUTF8Bytes(options: options)
    else { return }
    let text = withHexIDs(json)
    let translated = try succeeds("translating \(text.quoted)") { try OTLPJSON.translate(text) }
    let again = try succeeds("reading what was translated") { try Request(serializedBytes: translated) }
    // JSON does not say which NaN it is.
    let wanted = text.quoted.contains("NaN") ? (try? Request(jsonUTF8Bytes: json)) ?? request : request
    try check(again.encoded == wanted.encoded, "\(text.quoted) became \(again.text), not \(wanted.text)")
  }

  private static let idNames = ["traceId", "trace_id", "spanId", "span_id", "parentSpanId", "parent_span_id"]

  /// protobuf's JSON with base64 of IDs made OTLP's hex. Inside of strings no such name is followed by `":"`, for
  /// quotes are escaped there.
  private static func withHexIDs(_ json: [UInt8]) -> [UInt8] {
    let marks = idNames.map { Array("\"\($0)\":\"".utf8) }
    var output: [UInt8] = []
    var rest = json[...]
    while let byte = rest.first {
      guard byte == UInt8(ascii: "\""), let mark = marks.first(where: { rest.starts(with: $0) }) else {
        output.append(byte)
        rest.removeFirst()
        continue
      }
      rest = rest.dropFirst(mark.count)
      let base64 = Array(rest.prefix { $0 != UInt8(ascii: "\"") })
      rest = rest.dropFirst(base64.count)
      output += mark
      for byte in Data(base64Encoded: String(decoding: base64, as: UTF8.self)) ?? Data() {
        output += ((byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: byte % 2 == 0)).utf8
      }
    }
    return output
  }
}

extension OTLPGenerator.Request {
  /// Takes out what is base64 to protobuf and hex to OTLP.
  fileprivate mutating func forgetIDs() {
    for resource in resourceSpans.indices {
      for scope in resourceSpans[resource].scopeSpans.indices {
        for index in resourceSpans[resource].scopeSpans[scope].spans.indices {
          resourceSpans[resource].scopeSpans[scope].spans[index].forgetIDs()
        }
      }
    }
  }
}

extension OTLPGenerator.Span {
  fileprivate mutating func forgetIDs() {
    traceID = Data()
    spanID = Data()
    parentSpanID = Data()
    for link in links.indices {
      links[link].traceID = Data()
      links[link].spanID = Data()
    }
  }
}
