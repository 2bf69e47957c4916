internal import Formats
internal import SwiftProtobuf
internal import TestKit
internal import TraceWire

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// OTLP as other formats: JSON that everybody reads, for every span one, and in proportion.
enum OutputTarget {
  typealias Request = OTLPGenerator.Request

  /// Read back, a line of OTLP/JSON says what swift-protobuf reads from the bytes.
  static func runOTLPJSON(_ bytes: [UInt8]) throws(FuzzFinding) {
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    let wanted = try? Request(serializedBytes: bytes, options: options)
    guard let line = try output(bytes, expected: wanted != nil, OTLPJSONText.line) else { return }
    try check(!line.contains(UInt8(ascii: "\n")), "more than one line")
    _ = try json(Anything.self, line)
    let again = try succeeds("reading the line back") { try Request(serializedBytes: OTLPJSON.translate(line)) }
    guard let wanted else { return }
    // JSON does not say which NaN it is.
    if line.quoted.contains("NaN") { return }
    try check(again.encoded == wanted.encoded, "wrote \(line.quoted) for \(wanted.text)")
  }

  static func runZipkin(_ bytes: [UInt8]) throws(FuzzFinding) {
    let wanted = try? Request(serializedBytes: bytes)
    let written = try output(bytes, expected: wanted != nil, ZipkinJSONOutput.spans)
    guard let written else { return }
    let spans = try json([Anything].self, written).count
    if let wanted { try check(spans == wanted.validSpans.count, "\(spans) spans of \(wanted.text)") }
    _ = try succeeds("reading the spans back") { try ZipkinJSON.translate(written.span.bytes) }
  }

  static func runElasticsearch(_ bytes: [UInt8]) throws(FuzzFinding) {
    guard let index = ElasticsearchIndex(dataset: "generic", namespace: "default") else { return }
    let wanted = try? Request(serializedBytes: bytes)
    var ranges: [Range<Int>] = []
    let written = try output(bytes, expected: wanted != nil) { request throws(WireFault) in
      let documents = try ElasticsearchBulk(index: index).documents(request)
      ranges = documents.ranges
      return documents.bytes
    }
    guard let written else { return }
    var end = 0
    for range in ranges {
      try check(range.lowerBound == end, "documents with something between them")
      end = range.upperBound
      let lines = written[range].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      try check(lines.count == 3 && lines[2].isEmpty, "\(lines.count) lines of one document")
      for line in lines.dropLast() { _ = try json(Anything.self, Array(line)) }
    }
    try check(end == written.count, "something behind the last document")
    if let wanted { try check(ranges.count == wanted.validSpans.count, "\(ranges.count) documents") }
  }

  /// A response says the same as it does to anyone.
  static func runElasticsearchResponse(_ bytes: [UInt8]) throws(FuzzFinding) {
    let results: ElasticsearchResults
    do throws(WireFault) {
      results = try ElasticsearchBulk.results(bytes)
    } catch {
      try check((0...bytes.count).contains(error.offset), "a fault at byte \(error.offset) of \(bytes.count)")
      return
    }
    try check(results.errorType?.utf8.count ?? 0 <= 3 * 64, "a long error type")
    guard let read = try? JSONDecoder().decode(Response.self, from: Data(bytes)) else { return }
    try check(results.statuses.count == read.items.count, "\(results.statuses.count) of \(read.items.count) items")
  }

  private struct Response: Decodable {
    var items: [Anything]
  }

  /// Anything that stands somewhere.
  private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
  }

  private static func json<Value: Decodable>(
    _ type: Value.Type, _ bytes: [UInt8]
  ) throws(FuzzFinding) -> Value {
    try succeeds("reading \(bytes.quoted)") { try JSONDecoder().decode(type, from: Data(bytes)) }
  }

  /// What is written; `nil` where the bytes are no protobuf.
  private static func output(
    _ bytes: [UInt8], expected: Bool, _ write: (RawSpan) throws(WireFault) -> [UInt8]
  ) throws(FuzzFinding) -> [UInt8]? {
    let written: [UInt8]
    do throws(WireFault) {
      written = try write(bytes.span.bytes)
    } catch {
      try check((0...bytes.count).contains(error.offset), "a fault at byte \(error.offset) of \(bytes.count)")
      try check(!expected, "refused what swift-protobuf accepts: \(error)")
      return nil
    }
    // Names and IDs of spans, escapes, and resources for as long as they are small beside the rest.
    try check(written.count <= 100 * bytes.count + (5 << 20), "\(written.count) bytes out of \(bytes.count)")
    return written
  }
}

extension OTLPGenerator.Request {
  fileprivate var validSpans: [OTLPGenerator.Span] {
    resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) }.filter { span in
      span.traceID.count == 16 && span.traceID.contains { $0 != 0 } && span.spanID.count == 8
        && span.spanID.contains { $0 != 0 }
    }
  }
}
