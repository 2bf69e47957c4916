public import TraceWire

/// Jaeger's HTTP format: a `Batch` of `jaeger.thrift` in Thrift's binary protocol, without a message around it. What
/// holds for `JaegerProtobuf` holds here, but that a parent's ID is a field of its own, which comes first.
public enum JaegerThrift {
  /// The spans as an OTLP request. Throws `truncated`, `badLength`, `badWireType`, `tooDeep`, `excessive`, and
  /// `badValue` where something follows the batch.
  public static func translate(_ message: RawSpan) throws(WireFault) -> [UInt8] {
    guard message.byteCount <= Int(UInt32.max) else { throw WireFault(.badLength, at: 0) }
    var reader = JaegerThriftReader(requestBytes: message.byteCount)
    var cursor = ThriftCursor(message)
    var hasProcess = false
    // Where spans were stepped over, because their process stands behind them.
    var spans: Int?
    while let field = try cursor.field() {
      switch field {
      case .init(1, .structure):
        try reader.readProcess(&cursor)
        hasProcess = true
      case .init(2, .list) where hasProcess: try reader.readSpans(&cursor)
      case .init(2, .list):
        spans = cursor.position
        try cursor.skip(.list, depth: 1)
      default: try cursor.skip(field.kind, depth: 1)
      }
    }
    guard cursor.isAtEnd else { throw WireFault(.badValue, at: cursor.position) }
    if let spans {
      cursor.move(to: spans)
      try reader.readSpans(&cursor)
    }
    return reader.output.finish()
  }
}

/// One translation of Jaeger's thrift.
struct JaegerThriftReader {
  var draft = JaegerDraft()
  var output: RequestDraft
  private var process = JaegerProcess()

  init(requestBytes: Int) { output = RequestDraft(requestBytes: requestBytes) }

  mutating func readProcess(_ cursor: inout ThriftCursor) throws(WireFault) {
    var texts = TextBytes()
    var service = Text()
    var tags: [SpanDraft.Attribute] = []
    while let field = try cursor.field() {
      switch field {
      case .init(1, .string): service = texts.text(try cursor.string(), of: cursor.bytes)
      case .init(2, .list):
        for _ in 0..<(try cursor.list(of: .structure)) { tags.append(try texts.tag(&cursor)) }
      default: try cursor.skip(field.kind, depth: 2)
      }
    }
    process = JaegerProcess(service, tags, texts, number: 1, of: cursor.bytes)
  }

  mutating func readSpans(_ cursor: inout ThriftCursor) throws(WireFault) {
    for _ in 0..<(try cursor.list(of: .structure)) { try readSpan(&cursor) }
  }

  private mutating func readSpan(_ cursor: inout ThriftCursor) throws(WireFault) {
    draft.removeAll()
    var start: Int64 = 0
    var duration: Int64 = 0
    while let field = try cursor.field() {
      switch field {
      case .init(1, .i64): draft.span.traceID.low = UInt64(bitPattern: try cursor.i64())
      case .init(2, .i64): draft.span.traceID.high = UInt64(bitPattern: try cursor.i64())
      case .init(3, .i64): draft.span.spanID = SpanID(UInt64(bitPattern: try cursor.i64()))
      case .init(4, .i64): draft.span.parentID = SpanID(UInt64(bitPattern: try cursor.i64()))
      case .init(5, .string): draft.span.name = draft.span.texts.text(try cursor.string(), of: cursor.bytes)
      case .init(6, .list):
        for _ in 0..<(try cursor.list(of: .structure)) { draft.references.append(try Self.reference(&cursor)) }
      case .init(7, .i32): draft.take(flags: UInt64(truncatingIfNeeded: try cursor.i32()))
      case .init(8, .i64): start = try cursor.i64()
      case .init(9, .i64): duration = try cursor.i64()
      case .init(10, .list):
        for _ in 0..<(try cursor.list(of: .structure)) {
          let tag = try draft.span.texts.tag(&cursor)
          draft.span.take(tag.key, tag.value, of: cursor.bytes)
        }
      case .init(11, .list):
        for _ in 0..<(try cursor.list(of: .structure)) { try readLog(&cursor) }
      default: try cursor.skip(field.kind, depth: 3)
      }
    }
    draft.span.start = UInt64(clamping: start).nanosecondsOfMicroseconds
    draft.span.end = draft.span.start.addingClamped(UInt64(clamping: duration).nanosecondsOfMicroseconds)
    try draft.finish(in: process, into: &output, of: cursor.bytes)
  }

  private mutating func readLog(_ cursor: inout ThriftCursor) throws(WireFault) {
    var time: Int64 = 0
    while let field = try cursor.field() {
      switch field {
      case .init(1, .i64): time = try cursor.i64()
      case .init(2, .list):
        for _ in 0..<(try cursor.list(of: .structure)) { draft.fields.append(try draft.span.texts.tag(&cursor)) }
      default: try cursor.skip(field.kind, depth: 4)
      }
    }
    draft.appendEvent(at: UInt64(clamping: time).nanosecondsOfMicroseconds, of: cursor.bytes)
  }

  private static func reference(_ cursor: inout ThriftCursor) throws(WireFault) -> SpanDraft.Link {
    var link = SpanDraft.Link(traceID: TraceID(), spanID: SpanID(), isChildOf: true)
    while let field = try cursor.field() {
      switch field {
      case .init(1, .i32): link.isChildOf = try cursor.i32() == 0
      case .init(2, .i64): link.traceID.low = UInt64(bitPattern: try cursor.i64())
      case .init(3, .i64): link.traceID.high = UInt64(bitPattern: try cursor.i64())
      case .init(4, .i64): link.spanID = SpanID(UInt64(bitPattern: try cursor.i64()))
      default: try cursor.skip(field.kind, depth: 4)
      }
    }
    return link
  }
}

extension TextBytes {
  /// Reads a `Tag`. A type that is unknown makes an empty text.
  fileprivate mutating func tag(_ cursor: inout ThriftCursor) throws(WireFault) -> SpanDraft.Attribute {
    var key = Text()
    var type: Int32 = 0
    var string = ByteRange()
    var double = 0.0
    var flag = false
    var integer: Int64 = 0
    var binary = ByteRange()
    while let field = try cursor.field() {
      switch field {
      case .init(1, .string): key = text(try cursor.string(), of: cursor.bytes)
      case .init(2, .i32): type = try cursor.i32()
      case .init(3, .string): string = try cursor.string()
      case .init(4, .double): double = try cursor.double()
      case .init(5, .bool): flag = try cursor.bool()
      case .init(6, .i64): integer = try cursor.i64()
      case .init(7, .string): binary = try cursor.string()
      default: try cursor.skip(field.kind, depth: 5)
      }
    }
    let value: SpanDraft.Value =
      switch type {
      case 0: .text(text(string, of: cursor.bytes))
      case 1: .double(double)
      case 2: .bool(flag)
      case 3: .int(integer)
      case 4: .bytes(Text(range: binary))
      default: .text(Text())
      }
    return SpanDraft.Attribute(key: key, value: value)
  }
}
