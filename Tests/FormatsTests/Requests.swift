import Foundation
import SwiftProtobuf
import TestKit
import Testing
import TraceWire

typealias KeyValue = OTLPGenerator.KeyValue
typealias AnyValue = OTLPGenerator.AnyValue

/// A request with one span of valid IDs, which the body changes, under `service.name` "shop" and a scope.
func request(_ change: (inout Span) -> Void = { _ in }) -> Request {
  .with { request in
    request.resourceSpans = [
      .with { resource in
        resource.resource.attributes = [attribute("service.name", .with { $0.stringValue = "shop" })]
        resource.scopeSpans = [
          .with { scope in
            scope.scope.name = "lib"
            scope.scope.version = "1.2"
            scope.spans = [.with(minimal)]
            change(&scope.spans[0])
          }
        ]
      }
    ]
  }
}

/// IDs and times.
func minimal(_ span: inout Span) {
  span.traceID = Data(0x10...0x1f)
  span.spanID = Data(0x20...0x27)
  span.startTimeUnixNano = 1_700_000_000_123_456_789
  span.endTimeUnixNano = 1_700_000_001_123_456_789
}

func attribute(_ key: String, _ value: AnyValue) -> KeyValue {
  .with {
    $0.key = key
    $0.value = value
  }
}

func text(_ value: String) -> AnyValue { .with { $0.stringValue = value } }

func number(_ value: Int64) -> AnyValue { .with { $0.intValue = value } }

func list(_ values: AnyValue...) -> AnyValue { .with { $0.arrayValue.values = values } }

/// An attribute whose value is an array in an array and so on.
func nested(_ count: Int) -> KeyValue {
  var value = AnyValue()
  for _ in 0..<count { value = list(value) }
  return attribute("deep", value)
}

/// JSON as Foundation reads it.
func object(_ json: some Collection<UInt8>) throws -> [String: Any] {
  try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
}

extension Request {
  /// The spans that other formats have: those with both IDs.
  var validSpans: [Span] {
    resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) }.filter { span in
      span.traceID.count == 16 && span.traceID.contains { $0 != 0 } && span.spanID.count == 8
        && span.spanID.contains { $0 != 0 }
    }
  }
}
