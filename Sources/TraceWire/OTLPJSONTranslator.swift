/// One translation of OTLP/JSON: walks the text once and writes fields as it meets them.
struct OTLPJSONTranslator {
  var scanner = JSONScanner()
  var output = OTLPJSONOutput()

  init(roomFor count: Int) { output.bytes.reserveCapacity(count / 2) }

  /// Reads an object as a message and writes its fields. `depth` counts the messages around, its own included.
  mutating func message(_ shape: OTLPJSONShape, depth: Int, in json: RawSpan) throws(WireFault) {
    let first = try scanner.peek(in: json)
    guard first == UInt8(ascii: "{") else { throw scanner.unexpectedValue(first) }
    guard depth <= ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: scanner.position) }
    guard try scanner.open(closing: UInt8(ascii: "}"), in: json) else { return }
    repeat {
      let key = try scanner.key(in: json)
      if let field = Self.name(key, in: json).flatMap(shape.field) {
        try value(of: field, in: shape, depth: depth, json)
      } else {
        try scanner.skipValue(in: json)
      }
    } while try scanner.hasAnother(before: UInt8(ascii: "}"), in: json)
  }

  private static func name(_ text: JSONScanner.Text, in json: RawSpan) -> OTLPJSONName? {
    guard text.hasEscapes else { return OTLPJSONName(text.range, of: json) }
    var plain: [UInt8] = []
    plain.append(text, of: json)
    return OTLPJSONName(0..<plain.count, of: plain.span.bytes)
  }

  private mutating func value(
    of field: OTLPJSONField, in shape: OTLPJSONShape, depth: Int, _ json: RawSpan
  ) throws(WireFault) {
    guard try !scanner.isNull(in: json) else { return }
    switch field.kind {
    case .message(let inner): try nested(inner, field.number, depth: depth, json)
    case .messages(let inner):
      guard try openArray(json) else { return }
      repeat {
        try nested(inner, field.number, depth: depth, json)
      } while try scanner.hasAnother(before: UInt8(ascii: "]"), in: json)
    case .strings:
      guard try openArray(json) else { return }
      repeat {
        try string(field.number, keepsEmpty: true, json)
      } while try scanner.hasAnother(before: UInt8(ascii: "]"), in: json)
    case .string: try string(field.number, keepsEmpty: shape.isOneof, json)
    case .bool: try bool(field.number, keepsFalse: shape.isOneof, json)
    default: try scalar(field, keepsDefault: shape.isOneof, json)
    }
  }

  private mutating func nested(
    _ shape: OTLPJSONShape, _ number: Int, depth: Int, _ json: RawSpan
  ) throws(WireFault) {
    let open = output.open(number)
    try message(shape, depth: depth &+ 1, in: json)
    output.close(open)
  }

  private mutating func openArray(_ json: RawSpan) throws(WireFault) -> Bool {
    let first = try scanner.peek(in: json)
    guard first == UInt8(ascii: "[") else { throw scanner.unexpectedValue(first) }
    return try scanner.open(closing: UInt8(ascii: "]"), in: json)
  }

  private mutating func text(_ json: RawSpan) throws(WireFault) -> JSONScanner.Text {
    let first = try scanner.peek(in: json)
    guard first == UInt8(ascii: "\"") else { throw scanner.unexpectedValue(first) }
    return try scanner.string(in: json)
  }

  private mutating func string(_ number: Int, keepsEmpty: Bool, _ json: RawSpan) throws(WireFault) {
    let text = try text(json)
    guard !text.range.isEmpty || keepsEmpty else { return }
    if text.hasEscapes {
      let open = output.open(number)
      output.bytes.append(text, of: json)
      output.close(open)
    } else {
      output.bytes.appendTag(number, 2)
      output.bytes.appendVarint(UInt64(text.range.count))
      output.bytes.append(ByteRange(text.range), of: json)
    }
  }

  private mutating func bool(_ number: Int, keepsFalse: Bool, _ json: RawSpan) throws(WireFault) {
    let first = try scanner.peek(in: json)
    switch first {
    case UInt8(ascii: "t"):
      try scanner.literal("true", in: json)
      output.bytes.appendTag(number, 0)
      output.bytes.append(1)
    case UInt8(ascii: "f"):
      try scanner.literal("false", in: json)
      guard keepsFalse else { return }
      output.bytes.appendTag(number, 0)
      output.bytes.append(0)
    default: throw scanner.unexpectedValue(first)
    }
  }

  /// A value that may be a number or a string.
  private mutating func scalar(_ field: OTLPJSONField, keepsDefault: Bool, _ json: RawSpan) throws(WireFault) {
    let first = try scanner.peek(in: json)
    let start = scanner.position
    switch first {
    case UInt8(ascii: "-"), 0x30...0x39:
      let number = try scanner.number(in: json)
      guard output.append(number, as: field, of: json, keepsDefault: keepsDefault) else {
        throw WireFault(.badValue, at: start)
      }
    case UInt8(ascii: "\""):
      let text = try scanner.string(in: json)
      guard text.hasEscapes else {
        try output.append(text.range, as: field, of: json, keepsDefault: keepsDefault)
        return
      }
      var plain: [UInt8] = []
      plain.append(text, of: json)
      do {
        try output.append(0..<plain.count, as: field, of: plain.span.bytes, keepsDefault: keepsDefault)
      } catch {
        throw WireFault(error.kind, at: start)
      }
    default: throw scanner.unexpectedValue(first)
    }
  }
}
