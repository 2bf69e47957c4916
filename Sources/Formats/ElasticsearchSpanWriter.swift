internal import TraceWire

/// One translation to documents of the Elastic Common Schema.
struct ElasticsearchSpanWriter: OTLPSpanWriter {
  private(set) var documents = ElasticsearchDocuments()
  private let index: ElasticsearchIndex
  private var budget: RepetitionBudget
  private var fieldNames = UniqueNames()
  private var labels = ElasticsearchLabels()
  private var eventLabels = ElasticsearchLabels()

  init(index: ElasticsearchIndex, requestBytes: Int) {
    self.index = index
    budget = RepetitionBudget(requestBytes: requestBytes)
    documents.bytes.reserveCapacity(2 &* requestBytes)
  }

  mutating func write(
    _ span: OTLPSpan, in surroundings: OTLPSurroundings, of request: RawSpan
  ) throws(WireFault) {
    let start = documents.bytes.count
    let date = CivilDate(span.start)
    fieldNames.removeAll()
    labels.removeAll()
    append(span, date, of: request)
    documents.bytes.append("{\"@timestamp\":\"")
    documents.bytes.append(date)
    // The version of the schema that names are from.
    documents.bytes.append("\",\"ecs.version\":\"8.11.0\"")
    appendStream()
    appendIDs(span, of: request)
    appendFields(span, of: request)
    appendNames(surroundings, of: request)
    let table = ElasticsearchFields.span
    try appendAttributes(of: span.body, .span, OTLPSpan.Depth.span, table, of: request)
    for part in surroundings.scope where budget.allowsReading(part) {
      try appendAttributes(of: part, .scopeOrEvent, OTLPSpan.Depth.scope, [], of: request)
    }
    for part in surroundings.resource where budget.allowsReading(part) {
      let table = ElasticsearchFields.resource
      try appendAttributes(of: part, .resource, OTLPSpan.Depth.resource, table, of: request)
    }
    labels.append(to: &documents.bytes)
    if span.hasEvents { try appendEvents(span, of: request) }
    if span.hasLinks { try appendLinks(span, of: request) }
    documents.bytes.append("}\n")
    documents.ranges.append(start..<documents.bytes.count)
  }

  /// Appends the line that says what to do.
  private mutating func append(_ span: OTLPSpan, _ date: CivilDate, of request: RawSpan) {
    documents.bytes.append("{\"create\":{\"_index\":\"")
    documents.bytes.append(contentsOf: index.name.utf8)
    if index.dateSuffix != .none {
      documents.bytes.append(UInt8(ascii: "-"))
      documents.bytes.append(decimal: date.year, width: 4)
      documents.bytes.append(UInt8(ascii: "."))
      documents.bytes.append(decimal: date.month, width: 2)
    }
    if index.dateSuffix == .day {
      documents.bytes.append(UInt8(ascii: "."))
      documents.bytes.append(decimal: date.day, width: 2)
    }
    documents.bytes.append("\",\"_id\":\"")
    documents.bytes.append(hex: span.traceID, of: request)
    documents.bytes.append(hex: span.spanID, of: request)
    documents.bytes.append("\"}}\n")
  }

  private mutating func appendStream() {
    guard let dataset = index.dataset, let namespace = index.namespace else { return }
    documents.bytes.append(",\"data_stream.type\":\"traces\",\"data_stream.dataset\":")
    documents.bytes.append(jsonString: [UInt8](dataset.utf8))
    documents.bytes.append(",\"data_stream.namespace\":")
    documents.bytes.append(jsonString: [UInt8](namespace.utf8))
  }

  private mutating func appendIDs(_ span: OTLPSpan, of request: RawSpan) {
    documents.bytes.append(",\"trace.id\":\"")
    documents.bytes.append(hex: span.traceID, of: request)
    documents.bytes.append("\",\"span.id\":\"")
    documents.bytes.append(hex: span.spanID, of: request)
    documents.bytes.append(UInt8(ascii: "\""))
    guard !span.parentID.isEmpty else { return }
    documents.bytes.append(",\"parent.id\":\"")
    documents.bytes.append(hex: span.parentID, of: request)
    documents.bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendFields(_ span: OTLPSpan, of request: RawSpan) {
    documents.bytes.append(",\"span.name\":")
    documents.bytes.append(jsonString: span.name, of: request)
    switch span.kind {
    case .internal: documents.bytes.append(",\"span.kind\":\"INTERNAL\"")
    case .server: documents.bytes.append(",\"span.kind\":\"SERVER\"")
    case .client: documents.bytes.append(",\"span.kind\":\"CLIENT\"")
    case .producer: documents.bytes.append(",\"span.kind\":\"PRODUCER\"")
    case .consumer: documents.bytes.append(",\"span.kind\":\"CONSUMER\"")
    case .unspecified: break
    }
    documents.bytes.append(",\"timestamp.us\":")
    documents.bytes.append(decimal: span.start / 1000)
    documents.bytes.append(",\"span.duration.us\":")
    documents.bytes.append(decimal: span.duration / 1000)
    // A field of the schema and of type `long`.
    documents.bytes.append(",\"event.duration\":")
    documents.bytes.append(decimal: min(span.duration, UInt64(Int64.max)))
    switch span.statusCode {
    case 1: documents.bytes.append(",\"event.outcome\":\"success\"")
    case 2: documents.bytes.append(",\"event.outcome\":\"failure\"")
    default: documents.bytes.append(",\"event.outcome\":\"unknown\"")
    }
    if span.isError, !span.statusMessage.isEmpty {
      documents.bytes.append(",\"error.message\":")
      documents.bytes.append(jsonString: span.statusMessage, of: request)
    }
    if !span.traceState.isEmpty {
      documents.bytes.append(",\"trace.state\":")
      documents.bytes.append(jsonString: span.traceState, of: request)
    }
  }

  private mutating func appendNames(_ surroundings: OTLPSurroundings, of request: RawSpan) {
    if !surroundings.service.isEmpty, budget.allows(surroundings.service) {
      documents.bytes.append(",\"service.name\":")
      documents.bytes.append(jsonString: surroundings.service, of: request)
    }
    if !surroundings.scopeName.isEmpty, budget.allows(surroundings.scopeName) {
      documents.bytes.append(",\"service.framework.name\":")
      documents.bytes.append(jsonString: surroundings.scopeName, of: request)
    }
    if !surroundings.scopeVersion.isEmpty, budget.allows(surroundings.scopeVersion) {
      documents.bytes.append(",\"service.framework.version\":")
      documents.bytes.append(jsonString: surroundings.scopeVersion, of: request)
    }
  }

  /// Appends the attributes that have a field, and adds the others to the labels.
  private mutating func appendAttributes(
    of message: ByteRange, _ owner: OTLPAttributes.Owner, _ depth: Int, _ table: [ElasticsearchFields.Field],
    of request: RawSpan
  ) throws(WireFault) {
    var attributes = OTLPAttributes(message, of: request, owner, depth: depth)
    while let attribute = try attributes.next() {
      if owner == .resource, attribute.key.matches("service.name", in: request) { continue }
      guard let field = ElasticsearchFields.field(of: attribute, in: table, request) else {
        try labels.add(attribute, of: request, depth: depth &+ 2)
        continue
      }
      let start = documents.bytes.count
      documents.bytes.append(",\"")
      documents.bytes.append(field.field)
      guard fieldNames.insert(documents.bytes[start...]) else {
        documents.bytes.removeSubrange(start...)
        continue
      }
      documents.bytes.append("\":")
      try documents.bytes.append(json: attribute.value, of: request, depth: depth &+ 2)
    }
  }

  private mutating func appendEvents(_ span: OTLPSpan, of request: RawSpan) throws(WireFault) {
    documents.bytes.append(",\"span.events\":")
    var opening = UInt8(ascii: "[")
    var events = OTLPMessages(span.body, of: request, tag: 0x5a, depth: OTLPSpan.Depth.span)
    while let range = try events.next() {
      let event = try OTLPEvent(range, of: request)
      documents.bytes.append(opening)
      opening = UInt8(ascii: ",")
      documents.bytes.append("{\"@timestamp\":\"")
      documents.bytes.append(CivilDate(event.time))
      documents.bytes.append("\",\"name\":")
      documents.bytes.append(jsonString: event.name, of: request)
      if event.hasAttributes {
        eventLabels.removeAll()
        var attributes = OTLPAttributes(range, of: request, .scopeOrEvent, depth: OTLPSpan.Depth.part)
        while let attribute = try attributes.next() {
          try eventLabels.add(attribute, of: request, depth: OTLPSpan.Depth.part &+ 2)
        }
        eventLabels.append(to: &documents.bytes)
      }
      documents.bytes.append(UInt8(ascii: "}"))
    }
    documents.bytes.append(UInt8(ascii: "]"))
  }

  private mutating func appendLinks(_ span: OTLPSpan, of request: RawSpan) throws(WireFault) {
    documents.bytes.append(",\"span.links\":")
    var opening = UInt8(ascii: "[")
    var links = OTLPMessages(span.body, of: request, tag: 0x6a, depth: OTLPSpan.Depth.span)
    while let range = try links.next() {
      let link = try OTLPLink(range, of: request)
      documents.bytes.append(opening)
      opening = UInt8(ascii: ",")
      documents.bytes.append("{\"trace.id\":\"")
      documents.bytes.append(hex: link.traceID, of: request)
      documents.bytes.append("\",\"span.id\":\"")
      documents.bytes.append(hex: link.spanID, of: request)
      documents.bytes.append("\"}")
    }
    documents.bytes.append(UInt8(ascii: "]"))
  }
}
