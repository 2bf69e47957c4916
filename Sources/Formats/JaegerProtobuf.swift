public import TraceWire

/// Jaeger's gRPC format: `jaeger.api_v2.PostSpansRequest`, a `Batch` of spans with the process they belong to. A span
/// may have a process of its own, which then stands for the batch's.
///
/// - The parent is the first reference CHILD_OF to the same trace, or else the first FOLLOWS_FROM to it; other
///   references are links.
/// - Tags keep their types; `span.kind`, `error`, `otel.status_code` and the like become the fields they stand for.
/// - IDs are bytes, shorter ones padded on the left; longer ones make a span that is refused alone.
public enum JaegerProtobuf {
  /// The spans as an OTLP request. Throws what `ProtobufCursor` throws, and `excessive`.
  public static func translate(_ message: RawSpan) throws(WireFault) -> [UInt8] {
    guard message.byteCount <= Int(UInt32.max) else { throw WireFault(.badLength, at: 0) }
    var reader = JaegerProtobufReader(requestBytes: message.byteCount)
    var fields = ProtobufCursor(message, from: 0, to: message.byteCount)
    while fields.hasMore {
      let tag = try fields.tag()
      if tag == 0x0a {
        try reader.readBatch(try fields.delimited(), of: message)
      } else {
        try fields.skip(tag, depth: 1)
      }
    }
    return reader.output.finish()
  }
}

/// One translation of Jaeger's protobuf.
struct JaegerProtobufReader {
  var draft = JaegerDraft()
  var output: RequestDraft
  private var process = JaegerProcess()
  /// The process that a span has brought with it last, and where it stands.
  private var own = JaegerProcess()
  private var ownRange = ByteRange()
  private var processCount = 0

  init(requestBytes: Int) { output = RequestDraft(requestBytes: requestBytes) }

  mutating func readBatch(_ body: ByteRange, of message: RawSpan) throws(WireFault) {
    // The process may stand behind its spans.
    var fields = ProtobufCursor(message, in: body)
    process = JaegerProcess()
    while fields.hasMore {
      let tag = try fields.tag()
      if tag == 0x12 {
        process = try readProcess(try fields.delimited(), of: message)
      } else {
        try fields.skip(tag, depth: 2)
      }
    }
    fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      if tag == 0x0a {
        try readSpan(try fields.delimited(), of: message)
      } else {
        try fields.skip(tag, depth: 2)
      }
    }
  }

  private mutating func readProcess(_ body: ByteRange, of message: RawSpan) throws(WireFault) -> JaegerProcess {
    var texts = TextBytes()
    var service = Text()
    var tags: [SpanDraft.Attribute] = []
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: service = texts.text(try fields.delimited(), of: message)
      case 0x12: tags.append(try texts.keyValue(try fields.delimited(), of: message))
      default: try fields.skip(tag, depth: 3)
      }
    }
    processCount &+= 1
    return JaegerProcess(service, tags, texts, number: processCount, of: message)
  }

  private mutating func readSpan(_ body: ByteRange, of message: RawSpan) throws(WireFault) {
    draft.removeAll()
    var start: UInt64 = 0
    var duration: UInt64 = 0
    var ownProcess: ByteRange?
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: draft.span.traceID = message.traceID(try fields.delimited())
      case 0x12: draft.span.spanID = message.spanID(try fields.delimited())
      case 0x1a: draft.span.name = draft.span.texts.text(try fields.delimited(), of: message)
      case 0x22: draft.references.append(try Self.reference(try fields.delimited(), of: message))
      case 0x28: draft.take(flags: try fields.varint())
      case 0x32: start = try Self.time(try fields.delimited(), of: message)
      case 0x3a: duration = try Self.time(try fields.delimited(), of: message)
      case 0x42:
        let attribute = try draft.span.texts.keyValue(try fields.delimited(), of: message)
        draft.span.take(attribute.key, attribute.value, of: message)
      case 0x4a: try readLog(try fields.delimited(), of: message)
      case 0x52: ownProcess = try fields.delimited()
      default: try fields.skip(tag, depth: 3)
      }
    }
    draft.span.start = start
    draft.span.end = start.addingClamped(duration)
    if let ownProcess {
      // OpenTelemetry's exporter sends the same process with every span.
      if processCount == 0 || ownRange.isEmpty || !message.equal(ownProcess, ownRange) {
        own = try readProcess(ownProcess, of: message)
        ownRange = ownProcess
      }
      try draft.finish(in: own, into: &output, of: message)
    } else {
      try draft.finish(in: process, into: &output, of: message)
    }
  }

  private mutating func readLog(_ body: ByteRange, of message: RawSpan) throws(WireFault) {
    var time: UInt64 = 0
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: time = try Self.time(try fields.delimited(), of: message)
      case 0x12: draft.fields.append(try draft.span.texts.keyValue(try fields.delimited(), of: message))
      default: try fields.skip(tag, depth: 4)
      }
    }
    draft.appendEvent(at: time, of: message)
  }

  private static func reference(_ body: ByteRange, of message: RawSpan) throws(WireFault) -> SpanDraft.Link {
    var link = SpanDraft.Link(traceID: TraceID(), spanID: SpanID(), isChildOf: true)
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: link.traceID = message.traceID(try fields.delimited())
      case 0x12: link.spanID = message.spanID(try fields.delimited())
      case 0x18: link.isChildOf = try fields.varint() == 0
      default: try fields.skip(tag, depth: 4)
      }
    }
    return link
  }

  /// A `Timestamp` or `Duration` in nanoseconds, as far as those go; a negative one is 0.
  private static func time(_ body: ByteRange, of message: RawSpan) throws(WireFault) -> UInt64 {
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x08: seconds = Int64(bitPattern: try fields.varint())
      case 0x10: nanoseconds = Int64(Int32(truncatingIfNeeded: try fields.varint()))
      default: try fields.skip(tag, depth: 4)
      }
    }
    let (product, hasOverflown) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !hasOverflown else { return seconds < 0 ? 0 : .max }
    let (sum, hasCarried) = product.addingReportingOverflow(nanoseconds)
    return hasCarried ? (nanoseconds < 0 ? 0 : .max) : UInt64(clamping: sum)
  }
}

extension RawSpan {
  fileprivate func equal(_ left: ByteRange, _ right: ByteRange) -> Bool {
    guard left.count == right.count else { return false }
    for index in 0..<left.count
    where byte(at: Int(left.lower) &+ index) != byte(at: Int(right.lower) &+ index) { return false }
    return true
  }
}

extension TextBytes {
  /// Reads a `jaeger.api_v2.KeyValue`. A type that is unknown makes an empty text.
  fileprivate mutating func keyValue(
    _ body: ByteRange, of message: RawSpan
  ) throws(WireFault) -> SpanDraft.Attribute {
    var key = Text()
    var type: UInt64 = 0
    var string = ByteRange()
    var flag = false
    var integer: Int64 = 0
    var double = 0.0
    var binary = ByteRange()
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: key = text(try fields.delimited(), of: message)
      case 0x10: type = try fields.varint()
      case 0x1a: string = try fields.delimited()
      case 0x20: flag = try fields.varint() != 0
      case 0x28: integer = Int64(bitPattern: try fields.varint())
      case 0x31: double = Double(bitPattern: try fields.fixed64())
      case 0x3a: binary = try fields.delimited()
      default: try fields.skip(tag, depth: 4)
      }
    }
    let value: SpanDraft.Value =
      switch type {
      case 0: .text(text(string, of: message))
      case 1: .bool(flag)
      case 2: .int(integer)
      case 3: .double(double)
      case 4: .bytes(Text(range: binary))
      default: .text(Text())
      }
    return SpanDraft.Attribute(key: key, value: value)
  }
}
