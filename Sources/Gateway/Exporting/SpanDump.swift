internal import Foundation
internal import Logging
internal import TraceWire

/// Spans as the log shows them whole: a line each, with everything that OTLP has of them and of where they come from.
/// Long values are cut by the log.
enum SpanDump {
  private struct Request: Decodable {
    var resourceSpans: [Resource]?
  }

  private struct Resource: Decodable {
    var resource: Value?
    var scopeSpans: [Scope]?
  }

  private struct Scope: Decodable {
    var scope: Value?
    var spans: [[String: Value]]?
  }

  /// What the lines say; nil where the request cannot be read.
  static func entries(of request: [UInt8]) -> [ExportMessage.LogEntry]? {
    guard let line = try? OTLPJSONText.line(request.span.bytes),
      let decoded = try? JSONDecoder().decode(Request.self, from: Data(line))
    else { return nil }
    var entries: [ExportMessage.LogEntry] = []
    for resource in decoded.resourceSpans ?? [] {
      for scope in resource.scopeSpans ?? [] {
        for span in scope.spans ?? [] {
          entries.append(entry(span, of: resource.resource, scope.scope))
        }
      }
    }
    return entries
  }

  private static func entry(_ span: [String: Value], of resource: Value?, _ scope: Value?) -> ExportMessage.LogEntry {
    var metadata: Logger.Metadata = [:]
    for (key, value) in span {
      switch key {
      case "attributes": add(value, "attribute.", to: &metadata)
      case "traceId": metadata["trace_id"] = value.metadata
      case "spanId": metadata["span_id"] = value.metadata
      case "parentSpanId": metadata["parent_span_id"] = value.metadata
      default: metadata[key] = value.metadata
      }
    }
    add(resource?.members["attributes"], "resource.", to: &metadata)
    add(scope?.members["attributes"], "scope.", to: &metadata)
    for key in ["name", "version"] { metadata["scope_\(key)"] = scope?.members[key]?.metadata }
    return ExportMessage.LogEntry(message: "span", metadata: metadata)
  }

  private static func add(_ attributes: Value?, _ prefix: String, to metadata: inout Logger.Metadata) {
    guard case .list(let pairs)? = attributes else { return }
    for pair in pairs {
      guard case .text(let key)? = pair.members["key"] else { continue }
      metadata[prefix + key] = pair.members["value"]?.attribute ?? ""
    }
  }

  /// A value of JSON.
  private indirect enum Value: Decodable {
    case text(String)
    case number(Double)
    case flag(Bool)
    case list([Value])
    case object([String: Value])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let list = try? container.decode([Value].self) {
        self = .list(list)
      } else {
        self = .object((try? container.decode([String: Value].self)) ?? [:])
      }
    }

    var members: [String: Value] {
      if case .object(let members) = self { members } else { [:] }
    }

    var metadata: Logger.Metadata.Value {
      switch self {
      case .text(let text): .string(text)
      case .number(let number): Int(exactly: number).map { .stringConvertible($0) } ?? .stringConvertible(number)
      case .flag(let flag): .stringConvertible(flag)
      case .list(let values): .array(values.map(\.metadata))
      case .object(let members): .dictionary(members.mapValues(\.metadata))
      }
    }

    /// An attribute's value without the name of its type, where it is not made of others.
    var attribute: Logger.Metadata.Value {
      guard members.count == 1, let (type, value) = members.first, type != "arrayValue", type != "kvlistValue" else {
        return metadata
      }
      return value.metadata
    }
  }
}
