internal import SwiftProtobuf
internal import TestKit
internal import TraceWire

/// Edits of a request, to be done to decoded messages.
struct OracleEdits {
  /// Edits of one span or one resource.
  struct Message {
    var attributes: [AttributeEdit] = []
    var traceState = TraceStateEdit.keep

    /// The edited attributes and how many were dropped.
    func applied(to attributes: [OTLPGenerator.KeyValue]) -> (attributes: [OTLPGenerator.KeyValue], dropped: UInt32) {
      var result = attributes
      for edit in self.attributes.reversed() where result.indices.contains(edit.ordinal) {
        switch edit.action {
        case .drop: result.remove(at: edit.ordinal)
        case .replaceString(let text):
          result[edit.ordinal].value = .with { $0.stringValue = String(decoding: text, as: UTF8.self) }
        }
      }
      return (result, UInt32(attributes.count - result.count))
    }
  }

  /// One for each span, nil where it is dropped.
  var spans: [Message?] = []
  /// One for each resource, nil where it stays as it came.
  var resources: [Message?] = []
}

extension OTLPGenerator.Request {
  /// Edits every span that is not dropped, and the resources.
  mutating func apply(_ edits: OracleEdits) {
    var index = 0
    for resource in resourceSpans.indices {
      if resource < edits.resources.count, let edit = edits.resources[resource] {
        resourceSpans[resource].resource.attributes =
          edit.applied(to: resourceSpans[resource].resource.attributes).attributes + [Self.stamp]
      }
      for scope in resourceSpans[resource].scopeSpans.indices {
        for span in resourceSpans[resource].scopeSpans[scope].spans.indices {
          if let edit = edits.spans[index] { resourceSpans[resource].scopeSpans[scope].spans[span].apply(edit) }
          index += 1
        }
      }
    }
  }

  private static var stamp: OTLPGenerator.KeyValue {
    .with {
      $0.key = "cloud.region"
      $0.value.stringValue = "us-east-1"
    }
  }

  /// The request with only some of its spans; scopes and resources without any are gone.
  func cut(_ isKept: (Int) -> Bool) -> Self {
    var result = Self()
    var index = 0
    for var resource in resourceSpans {
      resource.scopeSpans = resource.scopeSpans.compactMap { scope in
        var scope = scope
        scope.spans = scope.spans.filter { _ in
          defer { index += 1 }
          return isKept(index)
        }
        return scope.spans.isEmpty ? nil : scope
      }
      if !resource.scopeSpans.isEmpty { result.resourceSpans.append(resource) }
    }
    return result
  }
}

extension OTLPGenerator.Span {
  fileprivate mutating func apply(_ edit: OracleEdits.Message) {
    let (attributes, dropped) = edit.applied(to: attributes)
    self.attributes = attributes
    let (sum, overflow) = droppedAttributesCount.addingReportingOverflow(dropped)
    droppedAttributesCount = overflow ? .max : sum
    if case .replace(let state) = edit.traceState { traceState = String(decoding: state, as: UTF8.self) }
  }
}
