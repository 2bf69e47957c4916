internal import TraceWire

/// One span of the demo's shop, before it is written as OTLP.
struct DemoSpan {
  var traceID: TraceID
  var spanID: SpanID
  var parentID = SpanID()
  var name: String
  var kind: SpanFacts.Kind
  /// Nanoseconds since the Unix epoch.
  var start: UInt64
  var end: UInt64
  var region: String
  var service: String
  var attributes: [(key: String, value: AttributeValue)] = []
  /// Not empty: the span is an error with this message, and has an exception event.
  var failure = ""

  /// The `Span` message.
  var message: [UInt8] {
    var writer = ProtobufWriter()
    writer.bytes(1, traceID.bigEndianBytes)
    writer.bytes(2, spanID.bigEndianBytes)
    if parentID.isValid { writer.bytes(4, parentID.bigEndianBytes) }
    writer.string(5, name)
    writer.varint(6, UInt64(kind.rawValue))
    writer.fixed64(7, start)
    writer.fixed64(8, end)
    for (key, value) in attributes { writer.bytes(9, KeyValueEncoder.encode(key: key, value: value)) }
    if !failure.isEmpty {
      writer.message(11) { event in
        event.fixed64(1, end)
        event.string(2, "exception")
        event.bytes(3, KeyValueEncoder.encode(key: "exception.message", value: .string(failure)))
      }
      writer.message(15) { status in
        status.string(2, failure)
        status.varint(3, 2)
      }
    }
    writer.fixed32(16, 0x101)
    return writer.bytes
  }

  /// An `ExportTraceServiceRequest` of spans that share region and service.
  static func request(_ spans: [DemoSpan]) -> [UInt8] {
    var writer = ProtobufWriter()
    var rest = spans[...]
    while let first = rest.first {
      let same = rest.prefix { $0.service == first.service && $0.region == first.region }
      rest = rest.dropFirst(same.count)
      writer.message(1) { resourceSpans in
        resourceSpans.message(1) { resource in
          resource.bytes(1, KeyValueEncoder.encode(key: "service.name", value: .string(first.service)))
          resource.bytes(1, KeyValueEncoder.encode(key: "cloud.region", value: .string(first.region)))
        }
        resourceSpans.message(2) { scopeSpans in
          scopeSpans.message(1) { $0.string(1, "longspan.demo") }
          for span in same { scopeSpans.bytes(2, span.message) }
        }
      }
    }
    return writer.bytes
  }
}

extension TraceID {
  /// The sixteen bytes as they go over the wire.
  fileprivate var bigEndianBytes: [UInt8] {
    withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
  }
}

extension SpanID {
  /// The eight bytes as they go over the wire.
  fileprivate var bigEndianBytes: [UInt8] { withUnsafeBytes(of: rawValue.bigEndian) { Array($0) } }
}
