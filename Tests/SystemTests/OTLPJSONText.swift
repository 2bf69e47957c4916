import Foundation
import SwiftProtobuf
import TestKit

/// OTLP/JSON of a request: protobuf's JSON with IDs in hex and enums as numbers.
enum OTLPJSONText {
  static func of(_ request: OTLPRequest) throws -> Data {
    var options = JSONEncodingOptions()
    options.alwaysPrintEnumsAsInts = true
    let text = try request.jsonString(options: options)
    return Data(
      text.replacing(#/"(traceId|spanId|parentSpanId)":"([A-Za-z0-9+\/=]*)"/#) { match in
        let bytes = Data(base64Encoded: String(match.2)) ?? Data()
        return "\"\(match.1)\":\"\(bytes.map { String(format: "%02x", $0) }.joined())\""
      }.utf8)
  }
}

extension OTLPRequest {
  /// Drops spans with IDs that nobody accepts or that come twice, and what OTLP/JSON has no words for.
  mutating func keepValid() {
    var seen: Set<Data> = []
    for resource in resourceSpans.indices {
      for scope in resourceSpans[resource].scopeSpans.indices {
        resourceSpans[resource].scopeSpans[scope].spans.removeAll { span in
          let ids = [(span.traceID, 16), (span.spanID, 8)]
          let isValid = ids.allSatisfy { id, count in id.count == count && id.contains { $0 != 0 } }
          return !isValid || span.traceState.contains("th:") || !seen.insert(span.spanID).inserted
        }
      }
    }
  }
}
