import SwiftProtobuf
import TestKit
import TraceWire

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

typealias Request = OTLPGenerator.Request
typealias Span = OTLPGenerator.Span

/// What a translation came to, as swift-protobuf reads it: spans with what stands around them.
struct Translated {
  struct Placed {
    var span: Span
    var resource: [String: String]
    var scope: String
  }

  let placed: [Placed]
  let resourceCount: Int

  init(_ bytes: [UInt8]) throws {
    let request = try Request(serializedBytes: bytes)
    resourceCount = request.resourceSpans.count
    placed = request.resourceSpans.flatMap { resourceSpans in
      resourceSpans.scopeSpans.flatMap { scopeSpans in
        scopeSpans.spans.map {
          Placed(
            span: $0, resource: texts(resourceSpans.resource.attributes),
            scope: scopeSpans.scope.name + "@" + scopeSpans.scope.version)
        }
      }
    }
  }

  var spans: [Span] { placed.map(\.span) }

  /// The span of that name.
  func named(_ name: String) -> Placed? { placed.first { $0.span.name == name } }
}

/// Attributes as text, whatever their type.
func texts(_ attributes: [OTLPGenerator.KeyValue]) -> [String: String] {
  Dictionary(
    attributes.map { attribute in
      switch attribute.value.value {
      case .stringValue(let text): (attribute.key, text)
      case .boolValue(let flag): (attribute.key, "bool \(flag)")
      case .intValue(let number): (attribute.key, "int \(number)")
      case .doubleValue(let number): (attribute.key, "double \(number)")
      case .bytesValue(let bytes): (attribute.key, "bytes \(Array(bytes))")
      default: (attribute.key, "?")
      }
    }
  ) { first, second in first + " and " + second }
}

extension Span {
  var tags: [String: String] { texts(attributes) }
  var ids: [String] { [traceID, spanID, parentSpanID].map(hex) }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined()
}

/// The fault of a translation; `nil` where there is none.
func fault(_ body: () throws(WireFault) -> [UInt8]) -> WireFault? {
  do throws(WireFault) {
    _ = try body()
    return nil
  } catch {
    return error
  }
}
