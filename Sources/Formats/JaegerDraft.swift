internal import TraceWire

/// What the Jaeger formats share: a span with references, and logs with fields.
struct JaegerDraft {
  var span = SpanDraft()
  var references: [SpanDraft.Link] = []
  /// The fields of the log that is being read.
  var fields: [SpanDraft.Attribute] = []

  /// Forgets the span and keeps the room.
  mutating func removeAll() {
    span.removeAll()
    references.removeAll(keepingCapacity: true)
  }

  /// Notes Jaeger's flags: bit 0 is W3C's, bit 1 is "debug" here and something else there.
  mutating func take(flags: UInt64) { span.flags = UInt32(truncatingIfNeeded: flags & 1) }

  /// Appends a log with the fields read for it as an event. Its name is the field `event`, or else `message`, as
  /// OpenTelemetry's exporters have it.
  mutating func appendEvent(at time: UInt64, of request: RawSpan) {
    func index(_ name: StaticString) -> Int? {
      fields.firstIndex { field in
        if case .text = field.value { span.texts.matches(field.key, name, of: request) } else { false }
      }
    }
    let named = index("event") ?? index("message")
    var event = SpanDraft.Event(time: time)
    let first = span.eventAttributes.count
    for (number, field) in fields.enumerated() {
      if number == named, case .text(let name) = field.value {
        event.name = name
      } else {
        span.eventAttributes.append(field)
      }
    }
    event.attributes = first..<span.eventAttributes.count
    span.events.append(event)
    fields.removeAll(keepingCapacity: true)
  }

  /// Settles parent, links and resource, and writes the span.
  mutating func finish(
    in process: JaegerProcess, into output: inout RequestDraft, of request: RawSpan
  ) throws(WireFault) {
    settleReferences()
    span.resource.removeAll { process.has($0.key, span.texts, of: request) }
    if span.parentID == span.spanID { span.parentID = SpanID() }
    try output.append(span, in: process.resource, of: request)
  }

  /// The parent is what the format says it is, or the first reference CHILD_OF to the same trace, or the first
  /// FOLLOWS_FROM to it; everything else is a link.
  private mutating func settleReferences() {
    if !span.parentID.isValid {
      let own = { [span] (link: SpanDraft.Link) in link.traceID == span.traceID && link.spanID.isValid }
      let parent = references.first { own($0) && $0.isChildOf } ?? references.first(where: own)
      span.parentID = parent?.spanID ?? SpanID()
    }
    var hasParent = false
    for reference in references {
      if !hasParent, reference.isChildOf, reference.traceID == span.traceID, reference.spanID == span.parentID {
        hasParent = true
      } else {
        span.links.append(reference)
      }
    }
  }
}
