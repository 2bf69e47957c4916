import Foundation
import SwiftProtobuf
import TestKit

/// Requests as the tests need them, made by swift-protobuf.
enum Traces {
  typealias Request = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest
  typealias Response = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceResponse
  typealias Span = Opentelemetry_Proto_Trace_V1_Span

  static func random(_ count: Int) -> Data { Data((0..<count).map { _ in UInt8.random(in: 1...255) }) }

  /// A span of a trace of its own.
  static func span(_ name: String = "good") -> Span {
    var span = Span()
    span.traceID = random(16)
    span.spanID = random(8)
    span.name = name
    span.kind = .server
    span.startTimeUnixNano = 1_700_000_000_000_000_000
    span.endTimeUnixNano = 1_700_000_000_001_000_000
    return span
  }

  static func request(_ spans: [Span], region: String? = nil) -> Request {
    var request = Request()
    var resource = Opentelemetry_Proto_Trace_V1_ResourceSpans()
    var attribute = Opentelemetry_Proto_Common_V1_KeyValue()
    (attribute.key, attribute.value.stringValue) = ("service.name", "shop")
    resource.resource.attributes = [attribute]
    if let region {
      (attribute.key, attribute.value.stringValue) = ("cloud.region", region)
      resource.resource.attributes.append(attribute)
    }
    var scope = Opentelemetry_Proto_Trace_V1_ScopeSpans()
    scope.spans = spans
    resource.scopeSpans = [scope]
    request.resourceSpans = [resource]
    return request
  }

  /// So many good spans.
  static func good(_ count: Int = 1, region: String? = nil) throws -> Data {
    try request((0..<count).map { _ in span() }, region: region).serializedBytes()
  }

  /// One good span in a request of exactly so many bytes.
  static func good(bytes: Int) throws -> Data {
    var padded = span()
    var attribute = Opentelemetry_Proto_Common_V1_KeyValue()
    attribute.key = "padding"
    var length = bytes
    // Each pass takes the excess off; lengths of lengths settle at once.
    while true {
      attribute.value.stringValue = String(repeating: "x", count: length)
      padded.attributes = [attribute]
      let data: Data = try request([padded]).serializedBytes()
      if data.count == bytes { return data }
      length -= data.count - bytes
    }
  }

  /// A span with an attribute whose value is so many arrays, each within the other.
  static func nested(_ depth: Int) throws -> Data {
    // Written from the end to the beginning: the innermost value first.
    var reversed: [UInt8] = []
    func wrap(_ tag: UInt8) {
      reversed += varint(reversed.count).reversed()
      reversed.append(tag)
    }
    for _ in 0..<depth {
      wrap(0x0a)  // values of an ArrayValue
      wrap(0x2a)  // array_value of an AnyValue
    }
    wrap(0x12)  // value of a KeyValue
    reversed += Array("deep".utf8.reversed()) + [4, 0x0a]
    wrap(0x4a)  // attributes of a Span
    reversed += [UInt8](try span("deep").serializedBytes() as Data).reversed()
    wrap(0x12)  // spans
    wrap(0x12)  // scope_spans
    wrap(0x0a)  // resource_spans
    return Data(reversed.reversed())
  }

  private static func varint(_ value: Int) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest > 0x7f {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  /// The same as OTLP/JSON.
  static func nestedJSON(_ depth: Int) -> Data {
    let open = String(repeating: #"{"arrayValue":{"values":["#, count: depth)
    let close = String(repeating: "]}}", count: depth)
    return json(#"{"key":"deep","value":\#(open)\#(close)}"#)
  }

  /// One good span as OTLP/JSON with these attributes.
  static func json(_ attributes: String = "", traceID: String? = nil, spanID: String? = nil) -> Data {
    func hex(_ data: Data) -> String { data.map { String(format: "%02x", $0) }.joined() }
    return Data(
      """
      {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"\(traceID ?? hex(random(16)))",
      "spanId":"\(spanID ?? hex(random(8)))","name":"json","kind":2,"attributes":[\(attributes)]}]}]}]}
      """.utf8)
  }

  static func gzip(_ data: Data) async throws -> Data { try await Command.run("gzip", ["-c"], input: data).output }

  /// A zstd frame without compression: one raw block after another, written by hand.
  static func zstd(_ data: Data) -> Data { zstdFrame(size: data.count, blocks: [(data.count, 0, data)]) }

  /// A zstd frame of so many mebibytes of zeros: a few hundred bytes.
  static func zstdBomb(mebibytes: Int, announced: Int? = nil) -> Data {
    zstdFrame(
      size: announced ?? mebibytes << 20,
      blocks: Array(repeating: (1 << 17, 1, Data([0])), count: mebibytes << 3))
  }

  /// RFC 8878: magic number, a single-segment header with a content size of four bytes, blocks.
  private static func zstdFrame(size: Int, blocks: [(size: Int, type: UInt32, content: Data)]) -> Data {
    var frame = Data([0x28, 0xb5, 0x2f, 0xfd, 0xa0])
    withUnsafeBytes(of: UInt32(size).littleEndian) { frame += $0 }
    for (number, block) in blocks.enumerated() {
      let header = (number == blocks.count - 1 ? 1 : 0) | block.type << 1 | UInt32(block.size) << 3
      withUnsafeBytes(of: header.littleEndian) { frame += $0.prefix(3) }
      frame += block.content
    }
    return frame
  }
}
