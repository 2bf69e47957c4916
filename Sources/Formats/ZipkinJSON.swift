public import TraceWire

/// Zipkin v2 JSON (`POST /api/v2/spans`): a list of spans (Zipkin API, "ListOfSpans").
///
/// - IDs are hex of up to 32 and 16 digits, padded on the left. A span without one, or with a longer one, is written
///   without, so that it alone is refused later; other characters are a fault.
/// - Times are microseconds. Without a timestamp a span begins with its first annotation.
/// - The half of a shared span that the server reported gets an ID of its own, and the client's half as parent. Spans
///   of the same service and request that name the shared ID as parent are the server's children.
/// - Tags with non-string values are read as if they were quoted. Unknown members are checked and passed over.
public enum ZipkinJSON {
  /// The spans as an OTLP request. Throws `truncated` and `badSyntax` for what is no JSON, `badValue` for a value of
  /// the wrong type, `tooDeep`; offsets count in the JSON.
  public static func translate(_ json: RawSpan) throws(WireFault) -> [UInt8] {
    guard json.byteCount <= Int(UInt32.max) else { throw WireFault(.badLength, at: 0) }
    var reader = ZipkinJSONReader()
    try reader.readSpans(json)
    return reader.output.finish()
  }
}

/// One translation of Zipkin v2 JSON.
struct ZipkinJSONReader {
  var fields = JSONFields()
  var draft = ZipkinDraft()
  var output = RequestDraft()

  mutating func readSpans(_ json: RawSpan) throws(WireFault) {
    let first = try fields.scanner.peek(in: json)
    guard first == UInt8(ascii: "[") else { throw fields.scanner.unexpectedValue(first) }
    if try fields.openList(in: json) {
      repeat {
        draft.removeAll()
        try readSpan(json)
        try draft.finish(into: &output, of: json)
      } while try fields.hasElement(in: json)
    }
    try fields.scanner.expectEnd(in: json)
  }

  private mutating func readSpan(_ json: RawSpan) throws(WireFault) {
    guard try fields.openObject(in: json) else { return }
    repeat {
      guard let name = try fields.name(in: json) else { continue }
      if name.matches("traceId", in: json) {
        draft.span.traceID = try fields.identifier(digitsMax: 32, in: json)
      } else if name.matches("id", in: json) {
        draft.span.spanID = SpanID(try fields.identifier(digitsMax: 16, in: json).low)
      } else if name.matches("parentId", in: json) {
        draft.span.parentID = SpanID(try fields.identifier(digitsMax: 16, in: json).low)
      } else if name.matches("name", in: json) {
        draft.span.name = draft.span.texts.text(try fields.string(in: json), of: json)
      } else if name.matches("kind", in: json) {
        try readKind(json)
      } else if name.matches("timestamp", in: json) {
        draft.timestamp = try fields.count(in: json)
      } else if name.matches("duration", in: json) {
        draft.duration = try fields.count(in: json)
      } else if name.matches("localEndpoint", in: json) {
        draft.local = try fields.endpoint(&draft.span.texts, in: json)
      } else if name.matches("remoteEndpoint", in: json) {
        draft.remote = try fields.endpoint(&draft.span.texts, in: json)
      } else if name.matches("tags", in: json) {
        try readTags(json)
      } else if name.matches("annotations", in: json) {
        try readAnnotations(json)
      } else if name.matches("shared", in: json) {
        draft.isShared = try fields.bool(in: json)
      } else if name.matches("debug", in: json) {
        draft.isDebug = try fields.bool(in: json)
      } else {
        try fields.skip(in: json)
      }
    } while try fields.hasMember(in: json)
  }

  private mutating func readKind(_ json: RawSpan) throws(WireFault) {
    let kind = draft.span.texts.text(try fields.string(in: json), of: json)
    if let known = draft.span.texts.zipkinKind(kind, of: json) { draft.span.kind = known }
  }

  private mutating func readTags(_ json: RawSpan) throws(WireFault) {
    guard try fields.openObject(in: json) else { return }
    repeat {
      let key = draft.span.texts.text(try fields.scanner.key(in: json), of: json)
      if let value = try fields.plainText(&draft.span.texts, in: json) {
        draft.span.take(key, .text(value), of: json)
      }
    } while try fields.hasMember(in: json)
  }

  private mutating func readAnnotations(_ json: RawSpan) throws(WireFault) {
    guard try fields.openList(in: json) else { return }
    repeat {
      var time: UInt64 = 0
      var value = Text()
      if try fields.openObject(in: json) {
        repeat {
          guard let name = try fields.name(in: json) else { continue }
          if name.matches("timestamp", in: json) {
            time = try fields.count(in: json)
          } else if name.matches("value", in: json) {
            value = draft.span.texts.text(try fields.string(in: json), of: json)
          } else {
            try fields.skip(in: json)
          }
        } while try fields.hasMember(in: json)
        draft.annotate(time, value, of: json)
      }
    } while try fields.hasElement(in: json)
  }
}

extension TextBytes {
  /// The kind that Zipkin's word stands for.
  func zipkinKind(_ word: Text, of request: RawSpan) -> SpanFacts.Kind? {
    if matches(word, "CLIENT", of: request) { return .client }
    if matches(word, "SERVER", of: request) { return .server }
    if matches(word, "PRODUCER", of: request) { return .producer }
    return matches(word, "CONSUMER", of: request) ? .consumer : nil
  }
}

extension JSONFields {
  /// Reads an endpoint of Zipkin's.
  mutating func endpoint(_ texts: inout TextBytes, in json: RawSpan) throws(WireFault) -> Endpoint {
    var endpoint = Endpoint()
    guard try openObject(in: json) else { return endpoint }
    repeat {
      guard let name = try name(in: json) else { continue }
      if name.matches("serviceName", in: json) {
        endpoint.service = texts.text(try string(in: json), of: json)
      } else if name.matches("ipv4", in: json) {
        let address = texts.text(try string(in: json), of: json)
        if !address.isEmpty { endpoint.address = address }
      } else if name.matches("ipv6", in: json) {
        let address = texts.text(try string(in: json), of: json)
        if endpoint.address.isEmpty { endpoint.address = address }
      } else if name.matches("port", in: json) {
        endpoint.port = UInt16(exactly: try count(in: json)) ?? 0
      } else {
        try skip(in: json)
      }
    } while try hasMember(in: json)
    return endpoint
  }

  /// Reads a string, or a number or truth value as it is written; `nil` for `null`.
  mutating func plainText(_ texts: inout TextBytes, in json: RawSpan) throws(WireFault) -> Text? {
    let first = try scanner.peek(in: json)
    let start = scanner.position
    switch first {
    case UInt8(ascii: "\""): return texts.text(try scanner.string(in: json), of: json)
    case UInt8(ascii: "n"):
      try scanner.literal("null", in: json)
      return nil
    case UInt8(ascii: "t"): try scanner.literal("true", in: json)
    case UInt8(ascii: "f"): try scanner.literal("false", in: json)
    case UInt8(ascii: "-"), 0x30...0x39: _ = try scanner.number(in: json)
    default: throw scanner.unexpectedValue(first)
    }
    return Text(range: ByteRange(start, scanner.position))
  }
}
