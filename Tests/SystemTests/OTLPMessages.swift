import Foundation
import SwiftProtobuf
import TestKit

typealias OTLPRequest = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest
typealias OTLPSpan = Opentelemetry_Proto_Trace_V1_Span
typealias OTLPAttribute = Opentelemetry_Proto_Common_V1_KeyValue

extension OTLPAttribute {
  /// A string attribute.
  static func text(_ key: String, _ value: String) -> OTLPAttribute {
    OTLPAttribute.with {
      $0.key = key
      $0.value.stringValue = value
    }
  }

  /// An integer attribute.
  static func number(_ key: String, _ value: Int64) -> OTLPAttribute {
    OTLPAttribute.with {
      $0.key = key
      $0.value.intValue = value
    }
  }

  /// A boolean attribute.
  static func flag(_ key: String, _ value: Bool) -> OTLPAttribute {
    OTLPAttribute.with {
      $0.key = key
      $0.value.boolValue = value
    }
  }
}

extension OTLPSpan {
  /// The moment that the times of the tests' spans are counted from, in nanoseconds since the Unix epoch.
  static let epoch: UInt64 = 1_750_000_000_000_000_000

  /// A span with times in milliseconds since `epoch`; a parent of 0 is none.
  init(
    _ trace: Data, _ id: UInt64, in parent: UInt64 = 0, _ kind: SpanKind = .internal, from start: UInt64 = 0,
    to end: UInt64 = 1, state: String = "", _ attributes: [OTLPAttribute] = []
  ) {
    self.init()
    traceID = trace
    spanID = Self.idBytes(id)
    if parent != 0 { parentSpanID = Self.idBytes(parent) }
    name = "span \(id)"
    self.kind = kind
    startTimeUnixNano = Self.epoch + start * 1_000_000
    endTimeUnixNano = Self.epoch + end * 1_000_000
    traceState = state
    self.attributes = attributes
  }

  /// A span ID's bytes.
  static func idBytes(_ id: UInt64) -> Data { withUnsafeBytes(of: id.bigEndian) { Data($0) } }

  /// A trace ID's bytes.
  static func traceID(_ high: UInt64, _ low: UInt64) -> Data { idBytes(high) + idBytes(low) }

  /// The status of a failure.
  func failing() -> OTLPSpan {
    var copy = self
    copy.status.code = .error
    return copy
  }

  /// Seconds from start to end.
  var seconds: Double { Double(endTimeUnixNano &- startTimeUnixNano) / 1e9 }
}

/// Spans of one service in one region, as its SDK exports them.
struct Emission {
  var service: String
  /// None where the resource names no region.
  var region: String?
  var spans: [OTLPSpan]

  init(_ service: String, _ region: String?, _ spans: [OTLPSpan]) {
    (self.service, self.region, self.spans) = (service, region, spans)
  }
}

extension OTLPRequest {
  /// One resource each.
  init(_ emissions: [Emission]) {
    self.init()
    resourceSpans = emissions.map { emission in
      .with {
        $0.resource.attributes = [.text("service.name", emission.service)]
        if let region = emission.region { $0.resource.attributes.append(.text("cloud.region", region)) }
        $0.scopeSpans = [
          .with {
            $0.scope.name = "tests"
            $0.spans = emission.spans
          }
        ]
      }
    }
  }

  /// All its spans.
  var spans: [OTLPSpan] { resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) } }
}
