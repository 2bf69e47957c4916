public import TraceWire

/// Zipkin v2 protobuf (`POST /api/v2/spans`, `application/x-protobuf`): `zipkin.proto3.ListOfSpans`. What holds for
/// `ZipkinJSON` holds here; IDs are bytes, shorter ones padded on the left, and addresses are written out.
public enum ZipkinProtobuf {
  /// The spans as an OTLP request. Throws what `ProtobufCursor` throws; offsets count in the message.
  public static func translate(_ message: RawSpan) throws(WireFault) -> [UInt8] {
    guard message.byteCount <= Int(UInt32.max) else { throw WireFault(.badLength, at: 0) }
    var reader = ZipkinProtobufReader()
    var fields = ProtobufCursor(message, from: 0, to: message.byteCount)
    while fields.hasMore {
      let tag = try fields.tag()
      if tag == 0x0a {
        try reader.readSpan(try fields.delimited(), of: message)
      } else {
        try fields.skip(tag, depth: 1)
      }
    }
    return reader.output.finish()
  }
}

/// One translation of Zipkin v2 protobuf.
struct ZipkinProtobufReader {
  var draft = ZipkinDraft()
  var output = RequestDraft()

  mutating func readSpan(_ body: ByteRange, of message: RawSpan) throws(WireFault) {
    draft.removeAll()
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: draft.span.traceID = message.traceID(try fields.delimited())
      case 0x12: draft.span.parentID = message.spanID(try fields.delimited())
      case 0x1a: draft.span.spanID = message.spanID(try fields.delimited())
      case 0x20: draft.span.kind = Self.kind(try fields.varint())
      case 0x2a: draft.span.name = draft.span.texts.text(try fields.delimited(), of: message)
      case 0x31: draft.timestamp = try fields.fixed64()
      case 0x38: draft.duration = try fields.varint()
      case 0x42: draft.local = try draft.span.texts.endpoint(try fields.delimited(), of: message)
      case 0x4a: draft.remote = try draft.span.texts.endpoint(try fields.delimited(), of: message)
      case 0x52: try readAnnotation(try fields.delimited(), of: message)
      case 0x5a: try readTag(try fields.delimited(), of: message)
      case 0x60: draft.isDebug = try fields.varint() != 0
      case 0x68: draft.isShared = try fields.varint() != 0
      default: try fields.skip(tag, depth: 2)
      }
    }
    try draft.finish(into: &output, of: message)
  }

  private static func kind(_ number: UInt64) -> SpanFacts.Kind {
    switch number {
    case 1: .client
    case 2: .server
    case 3: .producer
    case 4: .consumer
    default: .unspecified
    }
  }

  private mutating func readAnnotation(_ body: ByteRange, of message: RawSpan) throws(WireFault) {
    var time: UInt64 = 0
    var value = Text()
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x09: time = try fields.fixed64()
      case 0x12: value = draft.span.texts.text(try fields.delimited(), of: message)
      default: try fields.skip(tag, depth: 3)
      }
    }
    draft.annotate(time, value, of: message)
  }

  private mutating func readTag(_ body: ByteRange, of message: RawSpan) throws(WireFault) {
    var key = Text()
    var value = Text()
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: key = draft.span.texts.text(try fields.delimited(), of: message)
      case 0x12: value = draft.span.texts.text(try fields.delimited(), of: message)
      default: try fields.skip(tag, depth: 3)
      }
    }
    draft.span.take(key, .text(value), of: message)
  }
}

extension RawSpan {
  /// An ID of at most 16 bytes, padded on the left; all zero where there are more, which makes no valid ID.
  func traceID(_ range: ByteRange) -> TraceID {
    var id = TraceID()
    guard range.count <= 16 else { return id }
    for offset in range.indices {
      id.high = id.high << 8 | id.low >> 56
      id.low = id.low << 8 | UInt64(byte(at: offset))
    }
    return id
  }

  /// An ID of at most 8 bytes, likewise.
  func spanID(_ range: ByteRange) -> SpanID { range.count <= 8 ? SpanID(traceID(range).low) : SpanID() }
}

extension TextBytes {
  /// Reads a `zipkin.proto3.Endpoint`.
  fileprivate mutating func endpoint(_ body: ByteRange, of message: RawSpan) throws(WireFault) -> Endpoint {
    var endpoint = Endpoint()
    var fields = ProtobufCursor(message, in: body)
    while fields.hasMore {
      let tag = try fields.tag()
      switch tag {
      case 0x0a: endpoint.service = text(try fields.delimited(), of: message)
      case 0x12:
        let address = try fields.delimited()
        if address.count == 4 { endpoint.address = make { $0.append(ipv4: address, of: message) } }
      case 0x1a:
        let address = try fields.delimited()
        if address.count == 16, endpoint.address.isEmpty {
          endpoint.address = make { $0.append(ipv6: address, of: message) }
        }
      case 0x20: endpoint.port = UInt16(exactly: try fields.varint()) ?? 0
      default: try fields.skip(tag, depth: 3)
      }
    }
    return endpoint
  }
}
