import Foundation
import Policy
import SwiftProtobuf
import TestKit
import Testing
import TraceWire

typealias OTLPRequest = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest
typealias OTLPSpan = Opentelemetry_Proto_Trace_V1_Span
typealias OTLPAttribute = Opentelemetry_Proto_Common_V1_KeyValue
typealias OTLPResource = Opentelemetry_Proto_Resource_V1_Resource
typealias OTLPValue = Opentelemetry_Proto_Common_V1_AnyValue

extension OTLPValue {
  static func text(_ text: String) -> OTLPValue { OTLPValue.with { $0.stringValue = text } }
  static func array(_ values: [OTLPValue]) -> OTLPValue { OTLPValue.with { $0.arrayValue.values = values } }
}

extension OTLPAttribute {
  init(_ key: String, _ value: OTLPValue) {
    self.init()
    self.key = key
    self.value = value
  }
  init(_ key: String, _ text: String) { self.init(key, .text(text)) }
}

extension OTLPSpan {
  /// A span of a trace, with what a real one has besides, so that a test sees it untouched.
  init(_ trace: TraceID, kind: SpanKind = .internal, state: String = "", attributes: [OTLPAttribute] = []) {
    self.init()
    traceID = trace.bytes
    spanID = TraceID(high: 0, low: trace.low | 1).bytes.suffix(8)
    parentSpanID = spanID
    self.kind = kind
    traceState = state
    name = "GET /product"
    startTimeUnixNano = 1
    endTimeUnixNano = 2
    flags = 0x301
    self.attributes = attributes
    events = [.with { $0.name = "event" }]
    status = .with { $0.message = "fine" }
  }
}

extension TraceID {
  /// As OTLP has it.
  var bytes: Data {
    var data = Data()
    for word in [high, low] {
      for shift in stride(from: UInt64(56), through: 0, by: -8) {
        data.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return data
  }
}

extension OTLPRequest {
  /// One resource with these attributes, in it one scope with the spans.
  init(_ spans: [OTLPSpan], resource: [OTLPAttribute] = [OTLPAttribute("region", "us-east-1")]) {
    self.init()
    resourceSpans = [
      .with {
        $0.resource.attributes = resource
        $0.scopeSpans = [.with { $0.spans = spans }]
      }
    ]
  }

  var spans: [OTLPSpan] { resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans) }
}

extension PolicyEngine {
  /// Sends a request through the walk, the policy and the writer, as a relay does.
  mutating func relay(_ request: OTLPRequest, now: UInt64 = 0) throws -> (output: OTLPRequest, tally: PolicyTally) {
    let bytes: [UInt8] = try request.serializedBytes()
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: attributeKeys)
    var plan = RewritePlan()
    let tally = decide(facts, in: bytes.span.bytes, now: now, plan: &plan)
    var output: [UInt8] = []
    let written = BatchWriter.append(
      0..<facts.spans.count, limit: .max, of: facts, in: bytes.span.bytes, plan: plan, to: &output)
    #expect(written.written == tally.kept)
    return (try OTLPRequest(serializedBytes: output), tally)
  }
}
