public import TraceWire

/// Zipkin v1 JSON (`POST /api/v1/spans`): spans whose kind, times and service are in annotations.
///
/// - `cs`/`cr`, `sr`/`ss`, `ms`, `mr` say what the span is, when it began and ended, and whose it is; `sa`, `ca`, `ma`
///   are addresses of the other side; `lc` is the tag `component`. All others are events and tags.
/// - A span with both a client's and a server's annotations becomes two; so does, as in Zipkin itself, one that a
///   server reported without a timestamp: its other half comes from the client.
/// - What holds for IDs, times and tags of `ZipkinJSON` holds here.
public enum ZipkinV1JSON {
  /// The spans as an OTLP request. Throws as `ZipkinJSON.translate` does.
  public static func translate(_ json: RawSpan) throws(WireFault) -> [UInt8] {
    guard json.byteCount <= Int(UInt32.max) else { throw WireFault(.badLength, at: 0) }
    var reader = ZipkinV1JSONReader()
    try reader.readSpans(json)
    return reader.output.finish()
  }
}

/// One translation of Zipkin v1 JSON.
struct ZipkinV1JSONReader {
  var fields = JSONFields()
  var draft = ZipkinV1Draft()
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
        draft.main.span.traceID = try fields.identifier(digitsMax: 32, in: json)
      } else if name.matches("id", in: json) {
        draft.main.span.spanID = SpanID(try fields.identifier(digitsMax: 16, in: json).low)
      } else if name.matches("parentId", in: json) {
        draft.main.span.parentID = SpanID(try fields.identifier(digitsMax: 16, in: json).low)
      } else if name.matches("name", in: json) {
        draft.main.span.name = draft.main.span.texts.text(try fields.string(in: json), of: json)
      } else if name.matches("timestamp", in: json) {
        draft.main.timestamp = try fields.count(in: json)
      } else if name.matches("duration", in: json) {
        draft.main.duration = try fields.count(in: json)
      } else if name.matches("annotations", in: json) {
        try readAnnotations(json)
      } else if name.matches("binaryAnnotations", in: json) {
        try readBinaryAnnotations(json)
      } else if name.matches("debug", in: json) {
        draft.main.isDebug = try fields.bool(in: json)
      } else {
        try fields.skip(in: json)
      }
    } while try fields.hasMember(in: json)
  }

  private mutating func readAnnotations(_ json: RawSpan) throws(WireFault) {
    guard try fields.openList(in: json) else { return }
    repeat {
      guard try fields.openObject(in: json) else { continue }
      var annotation = ZipkinV1Draft.Annotation()
      repeat {
        guard let name = try fields.name(in: json) else { continue }
        if name.matches("timestamp", in: json) {
          annotation.time = try fields.count(in: json)
        } else if name.matches("value", in: json) {
          annotation.value = draft.main.span.texts.text(try fields.string(in: json), of: json)
        } else if name.matches("endpoint", in: json) {
          annotation.endpoint = try fields.endpoint(&draft.main.span.texts, in: json)
        } else {
          try fields.skip(in: json)
        }
      } while try fields.hasMember(in: json)
      draft.take(annotation, of: json)
    } while try fields.hasElement(in: json)
  }

  private mutating func readBinaryAnnotations(_ json: RawSpan) throws(WireFault) {
    guard try fields.openList(in: json) else { return }
    repeat {
      guard try fields.openObject(in: json) else { continue }
      var tag = ZipkinV1Draft.Tag()
      repeat {
        guard let name = try fields.name(in: json) else { continue }
        if name.matches("key", in: json) {
          tag.key = draft.main.span.texts.text(try fields.string(in: json), of: json)
        } else if name.matches("value", in: json) {
          tag.value = try fields.plainText(&draft.main.span.texts, in: json) ?? Text()
        } else if name.matches("endpoint", in: json) {
          tag.endpoint = try fields.endpoint(&draft.main.span.texts, in: json)
        } else {
          try fields.skip(in: json)
        }
      } while try fields.hasMember(in: json)
      draft.take(tag, of: json)
    } while try fields.hasElement(in: json)
  }
}
