internal import TraceWire

/// Writes the `tags` of a span: what Zipkin has no field for, then the attributes.
struct ZipkinTags {
  private var names = UniqueNames()
  private var scratch: [UInt8] = []
  private var isFirst = true

  mutating func write(
    _ span: OTLPSpan, in surroundings: OTLPSurroundings, of request: RawSpan, budget: inout RepetitionBudget,
    to output: inout [UInt8]
  ) throws(WireFault) {
    names.removeAll()
    isFirst = true
    writeStatus(span, to: &output, of: request)
    if !span.traceState.isEmpty, begin("w3c.tracestate", &output) {
      output.append(jsonString: span.traceState, of: request)
    }
    writeCounts(span, to: &output)
    try writeAttributes(of: span.body, .span, OTLPSpan.Depth.span, isError: span.isError, to: &output, request)
    if span.hasLinks { try writeLinks(span, to: &output, of: request) }
    writeScope(surroundings, budget: &budget, to: &output, of: request)
    for part in surroundings.scope where budget.allowsReading(part) {
      try writeAttributes(of: part, .scopeOrEvent, OTLPSpan.Depth.scope, isError: false, to: &output, request)
    }
    for part in surroundings.resource where budget.allowsReading(part) {
      try writeAttributes(of: part, .resource, OTLPSpan.Depth.resource, isError: false, to: &output, request)
    }
    if !isFirst { output.append(UInt8(ascii: "}")) }
  }

  private mutating func writeStatus(_ span: OTLPSpan, to output: inout [UInt8], of request: RawSpan) {
    switch span.statusCode {
    case 1: if begin("otel.status_code", &output) { output.append("\"OK\"") }
    case 2:
      if begin("otel.status_code", &output) { output.append("\"ERROR\"") }
      if begin("error", &output) { output.append(jsonString: span.statusMessage, of: request) }
    default: break
    }
  }

  private mutating func writeCounts(_ span: OTLPSpan, to output: inout [UInt8]) {
    write(span.droppedAttributes, "otel.dropped_attributes_count", to: &output)
    write(span.droppedEvents, "otel.dropped_events_count", to: &output)
    write(span.droppedLinks, "otel.dropped_links_count", to: &output)
  }

  private mutating func write(_ count: UInt32, _ name: StaticString, to output: inout [UInt8]) {
    guard count > 0, begin(name, &output) else { return }
    output.append(UInt8(ascii: "\""))
    output.append(decimal: UInt64(count))
    output.append(UInt8(ascii: "\""))
  }

  /// Writes name and version under the names of today and, as the specification wants it, of yesterday.
  private mutating func writeScope(
    _ surroundings: OTLPSurroundings, budget: inout RepetitionBudget, to output: inout [UInt8], of request: RawSpan
  ) {
    for name in ["otel.scope.name", "otel.library.name"] as [StaticString] where !surroundings.scopeName.isEmpty {
      guard budget.allows(surroundings.scopeName), begin(name, &output) else { continue }
      output.append(jsonString: surroundings.scopeName, of: request)
    }
    for name in ["otel.scope.version", "otel.library.version"] as [StaticString]
    where !surroundings.scopeVersion.isEmpty {
      guard budget.allows(surroundings.scopeVersion), begin(name, &output) else { continue }
      output.append(jsonString: surroundings.scopeVersion, of: request)
    }
  }

  private mutating func writeAttributes(
    of message: ByteRange, _ owner: OTLPAttributes.Owner, _ depth: Int, isError: Bool, to output: inout [UInt8],
    _ request: RawSpan
  ) throws(WireFault) {
    var attributes = OTLPAttributes(message, of: request, owner, depth: depth)
    while let attribute = try attributes.next() {
      switch owner {
      case .resource where attribute.key.matches("service.name", in: request): continue
      // Zipkin takes a span with any `error` for a failed one.
      case .span where attribute.key.matches("error", in: request) && attribute.value.isFalse(in: request): continue
      default: break
      }
      let start = output.count
      output.append(isFirst ? ",\"tags\":{" : ",")
      let nameStart = output.count
      output.append(jsonString: attribute.key, of: request)
      guard names.insert(output[nameStart...]) else {
        output.removeSubrange(start...)
        continue
      }
      isFirst = false
      output.append(UInt8(ascii: ":"))
      try output.append(quoted: attribute.value, of: request, depth: depth &+ 2, scratch: &scratch)
    }
  }

  /// Zipkin has no links: they are tags in the Collector's form, `TRACE|SPAN|TRACESTATE|ATTRIBUTES|DROPPED`.
  private mutating func writeLinks(
    _ span: OTLPSpan, to output: inout [UInt8], of request: RawSpan
  ) throws(WireFault) {
    var number: UInt64 = 0
    var links = OTLPMessages(span.body, of: request, tag: 0x6a, depth: OTLPSpan.Depth.span)
    while let range = try links.next() {
      let link = try OTLPLink(range, of: request)
      let start = output.count
      output.append(isFirst ? ",\"tags\":{" : ",")
      let nameStart = output.count
      output.append("\"otlp.link.")
      output.append(decimal: number)
      output.append(UInt8(ascii: "\""))
      guard names.insert(output[nameStart...]) else {
        output.removeSubrange(start...)
        return
      }
      isFirst = false
      number &+= 1
      output.append(UInt8(ascii: ":"))
      var text: [UInt8] = []
      text.append(hex: link.traceID, of: request)
      text.append(UInt8(ascii: "|"))
      text.append(hex: link.spanID, of: request)
      text.append(UInt8(ascii: "|"))
      text.append(link.traceState, of: request)
      text.append("|{")
      var attributes = OTLPAttributes(range, of: request, .link, depth: OTLPSpan.Depth.part)
      var isFirstAttribute = true
      while let attribute = try attributes.next() {
        if !isFirstAttribute { text.append(UInt8(ascii: ",")) }
        isFirstAttribute = false
        text.append(jsonString: attribute.key, of: request)
        text.append(UInt8(ascii: ":"))
        try text.append(json: attribute.value, of: request, depth: OTLPSpan.Depth.part &+ 2)
      }
      text.append("}|")
      text.append(decimal: UInt64(link.droppedAttributes))
      output.append(jsonString: text)
    }
  }

  /// Writes a tag's name and colon; false where the name is taken.
  private mutating func begin(_ name: StaticString, _ output: inout [UInt8]) -> Bool {
    let start = output.count
    output.append(isFirst ? ",\"tags\":{\"" : ",\"")
    let nameStart = output.count &- 1
    output.append(name)
    output.append(UInt8(ascii: "\""))
    guard names.insert(output[nameStart...]) else {
      output.removeSubrange(start...)
      return false
    }
    isFirst = false
    output.append(UInt8(ascii: ":"))
    return true
  }
}
