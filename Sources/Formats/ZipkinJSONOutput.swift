public import TraceWire

/// OTLP as Zipkin v2 JSON, the way back of `ZipkinJSON` (OpenTelemetry specification, "OpenTelemetry to Zipkin
/// Transformation" and "Transformation to non-OTLP Formats").
///
/// - Times are whole microseconds; a span that has an end took at least one. An internal span has no kind.
/// - `service.name` is the local endpoint's name, `unknown_service` without it. A client's or producer's remote
///   endpoint is the first in the specification's rank of attributes.
/// - Attributes of span, scope and resource are tags, in this order: of a name that comes twice the first counts.
///   Arrays, lists and links are texts of JSON (links as the Collector writes them), bytes base64.
/// - The status is `otel.status_code` and, of an error, `error`; tracestate is `w3c.tracestate`.
/// - Events are annotations, those with attributes `"NAME":{ATTRIBUTES}`.
/// - A span without valid IDs is left out: Zipkin refuses whole requests. A span has at most 4096 tags, and resources
///   are not written once more when that would make the output out of all proportion large.
public enum ZipkinJSONOutput {
  /// An `ExportTraceServiceRequest` as a JSON list of spans. Text that is not UTF-8 gets U+FFFD where it is not.
  /// Throws what is wrong with protobuf that cannot be read, and `tooDeep`; offsets count in the request.
  public static func spans(_ request: RawSpan) throws(WireFault) -> [UInt8] {
    var writer = ZipkinSpanWriter(requestBytes: request.byteCount)
    try writer.writeAll(request)
    return writer.finish()
  }
}

/// One translation to Zipkin v2 JSON.
struct ZipkinSpanWriter: OTLPSpanWriter {
  private var output: [UInt8] = []
  private var tags: ZipkinTags
  private var budget: RepetitionBudget
  private var scratch: [UInt8] = []

  init(requestBytes: Int) {
    budget = RepetitionBudget(requestBytes: requestBytes)
    tags = ZipkinTags()
    output.reserveCapacity(2 &* requestBytes)
  }

  /// The list.
  mutating func finish() -> [UInt8] {
    if output.isEmpty { output.append(UInt8(ascii: "[")) }
    output.append(UInt8(ascii: "]"))
    return output
  }

  mutating func write(
    _ span: OTLPSpan, in surroundings: OTLPSurroundings, of request: RawSpan
  ) throws(WireFault) {
    output.append(output.isEmpty ? "[{\"traceId\":\"" : ",{\"traceId\":\"")
    output.append(hex: span.traceID, of: request)
    output.append("\",\"id\":\"")
    output.append(hex: span.spanID, of: request)
    output.append(UInt8(ascii: "\""))
    if !span.parentID.isEmpty {
      output.append(",\"parentId\":\"")
      output.append(hex: span.parentID, of: request)
      output.append(UInt8(ascii: "\""))
    }
    if !span.name.isEmpty {
      output.append(",\"name\":")
      output.append(jsonString: span.name, of: request)
    }
    writeKind(span.kind)
    writeTimes(span)
    output.append(",\"localEndpoint\":{\"serviceName\":")
    if surroundings.service.isEmpty || !budget.allows(surroundings.service) {
      output.append("\"unknown_service\"")
    } else {
      output.append(jsonString: surroundings.service, of: request)
    }
    output.append(UInt8(ascii: "}"))
    if span.kind == .client || span.kind == .producer {
      let remote = try ZipkinRemote(span, of: request)
      remote.append(to: &output, of: request)
    }
    if span.hasEvents { try writeEvents(span, of: request) }
    try tags.write(span, in: surroundings, of: request, budget: &budget, to: &output)
    output.append(UInt8(ascii: "}"))
  }

  private mutating func writeKind(_ kind: SpanFacts.Kind) {
    switch kind {
    case .client: output.append(",\"kind\":\"CLIENT\"")
    case .server: output.append(",\"kind\":\"SERVER\"")
    case .producer: output.append(",\"kind\":\"PRODUCER\"")
    case .consumer: output.append(",\"kind\":\"CONSUMER\"")
    case .internal, .unspecified: break
    }
  }

  private mutating func writeTimes(_ span: OTLPSpan) {
    guard span.start != 0 else { return }
    output.append(",\"timestamp\":")
    output.append(decimal: span.start / 1000)
    guard span.end != 0 else { return }
    output.append(",\"duration\":")
    output.append(decimal: max(1, span.duration / 1000))
  }

  private mutating func writeEvents(_ span: OTLPSpan, of request: RawSpan) throws(WireFault) {
    output.append(",\"annotations\":")
    var opening = UInt8(ascii: "[")
    var events = OTLPMessages(span.body, of: request, tag: 0x5a, depth: OTLPSpan.Depth.span)
    while let range = try events.next() {
      let event = try OTLPEvent(range, of: request)
      output.append(opening)
      opening = UInt8(ascii: ",")
      output.append("{\"timestamp\":")
      output.append(decimal: event.time / 1000)
      output.append(",\"value\":")
      if event.hasAttributes || event.droppedAttributes > 0 {
        var value: [UInt8] = []
        try append(event, range, to: &value, of: request)
        output.append(jsonString: value)
      } else {
        output.append(jsonString: event.name, of: request)
      }
      output.append(UInt8(ascii: "}"))
    }
    output.append(UInt8(ascii: "]"))
  }

  /// Appends `"NAME":{ATTRIBUTES}`.
  private mutating func append(
    _ event: OTLPEvent, _ range: ByteRange, to value: inout [UInt8], of request: RawSpan
  ) throws(WireFault) {
    value.append(jsonString: event.name, of: request)
    value.append(UInt8(ascii: ":"))
    var opening = UInt8(ascii: "{")
    var attributes = OTLPAttributes(range, of: request, .scopeOrEvent, depth: OTLPSpan.Depth.part)
    while let attribute = try attributes.next() {
      value.append(opening)
      opening = UInt8(ascii: ",")
      value.append(jsonString: attribute.key, of: request)
      value.append(UInt8(ascii: ":"))
      switch attribute.value.kind {
      case .bool, .int, .double:
        try value.append(json: attribute.value, of: request, depth: OTLPSpan.Depth.part &+ 2)
      case .none, .text, .array, .list, .bytes:
        try value.append(
          quoted: attribute.value, of: request, depth: OTLPSpan.Depth.part &+ 2, scratch: &scratch)
      }
    }
    if event.droppedAttributes > 0 {
      value.append(opening)
      opening = UInt8(ascii: ",")
      value.append("\"otel.dropped_attributes_count\":")
      value.append(decimal: UInt64(event.droppedAttributes))
    }
    if opening == UInt8(ascii: "{") { value.append(opening) }
    value.append(UInt8(ascii: "}"))
  }
}
