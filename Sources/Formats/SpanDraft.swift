internal import TraceWire

/// One span of another format, read and not written yet. Its room is reused from span to span.
struct SpanDraft {
  /// A typed value.
  enum Value {
    case text(Text)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case bytes(Text)
  }

  struct Attribute {
    var key: Text
    var value: Value
  }

  struct Event {
    var time: UInt64 = 0
    var name = Text()
    /// Indices in `eventAttributes`.
    var attributes: Range<Int> = 0..<0
  }

  struct Link {
    var traceID: TraceID
    var spanID: SpanID
    var isChildOf: Bool
  }

  var texts = TextBytes()
  var traceID = TraceID()
  var spanID = SpanID()
  var parentID = SpanID()
  var name = Text()
  /// OTLP's numbers.
  var kind = SpanFacts.Kind.unspecified
  var flags: UInt32 = 0
  /// Nanoseconds since the Unix epoch.
  var start: UInt64 = 0
  var end: UInt64 = 0
  var attributes: [Attribute] = []
  var events: [Event] = []
  var eventAttributes: [Attribute] = []
  var links: [Link] = []
  var status = StatusDraft()
  var traceState = Text()
  /// What the emitter said of itself with the span.
  var resource: [Attribute] = []
  var scopeName = Text()
  var scopeVersion = Text()
  var droppedAttributes: UInt32 = 0
  var droppedEvents: UInt32 = 0
  var droppedLinks: UInt32 = 0
  /// Which names that endpoints would be written under were used by tags.
  var taken = TagMeaning.PeerNames()

  /// Forgets the span and keeps the room.
  mutating func removeAll() {
    texts.removeAll()
    traceID = TraceID()
    spanID = SpanID()
    parentID = SpanID()
    name = Text()
    kind = .unspecified
    flags = 0
    start = 0
    end = 0
    attributes.removeAll(keepingCapacity: true)
    events.removeAll(keepingCapacity: true)
    eventAttributes.removeAll(keepingCapacity: true)
    links.removeAll(keepingCapacity: true)
    status = StatusDraft()
    traceState = Text()
    resource.removeAll(keepingCapacity: true)
    scopeName = Text()
    scopeVersion = Text()
    droppedAttributes = 0
    droppedEvents = 0
    droppedLinks = 0
    taken = []
  }
}

/// What tags have said of a span's status so far; they come in any order.
struct StatusDraft {
  enum Code: UInt8 {
    case unset = 0
    case ok = 1
    case error = 2
  }

  /// `otel.status_code`.
  var code: Code?
  /// `otel.status_description`.
  var description = Text()
  /// The `error` tag, unless it says "false".
  var isError = false
  /// What the `error` tag says besides "true".
  var errorText = Text()

  /// The status: an error tag outweighs the code, as in the Collector.
  var outcome: (code: Code, message: Text) {
    let code = isError ? .error : code ?? .unset
    return (code, code == .unset ? Text() : description.isEmpty && isError ? errorText : description)
  }
}
