internal import TraceWire

extension SpanDraft {
  /// Appends an event of an annotation's text. OpenTelemetry's exporters write an event with attributes as
  /// `{"NAME":{ATTRIBUTES}}` or `"NAME":{ATTRIBUTES}` (OpenTelemetry specification, "Zipkin", Events); whatever is not
  /// of this form is the event's name as it stands.
  mutating func appendEvent(at time: UInt64, _ value: Text, of request: RawSpan) {
    guard !value.isEmpty else {
      events.append(Event(time: time))
      return
    }
    let first = texts.firstByte(value, of: request)
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "\"") {
      let bytes = texts.bytes(value, of: request)
      let (made, taken) = (texts, eventAttributes.count)
      do throws(WireFault) {
        try appendEvent(at: time, json: bytes.span.bytes)
        return
      } catch {
        // It only looked like it.
        texts = made
        eventAttributes.removeSubrange(taken...)
      }
    }
    events.append(Event(time: time, name: value))
  }

  private mutating func appendEvent(at time: UInt64, json: RawSpan) throws(WireFault) {
    var scanner = JSONScanner()
    let isObject = try scanner.peek(in: json) == UInt8(ascii: "{")
    if isObject { scanner.advance() }
    let name = copy(try scanner.key(in: json), of: json)
    let first = eventAttributes.count
    try scanner.expect(UInt8(ascii: "{"), in: json)
    if try scanner.peek(in: json) == UInt8(ascii: "}") {
      scanner.advance()
    } else {
      repeat {
        let key = copy(try scanner.key(in: json), of: json)
        let value = try value(&scanner, of: json)
        eventAttributes.append(Attribute(key: key, value: value))
      } while try scanner.hasAnother(before: UInt8(ascii: "}"), in: json)
    }
    if isObject { try scanner.expect(UInt8(ascii: "}"), in: json) }
    try scanner.expectEnd(in: json)
    events.append(Event(time: time, name: name, attributes: first..<eventAttributes.count))
  }

  /// A string, number or truth value; whatever else there is makes it another form.
  private mutating func value(_ scanner: inout JSONScanner, of json: RawSpan) throws(WireFault) -> Value {
    let first = try scanner.peek(in: json)
    switch first {
    case UInt8(ascii: "\""): return .text(copy(try scanner.string(in: json), of: json))
    case UInt8(ascii: "t"):
      try scanner.literal("true", in: json)
      return .bool(true)
    case UInt8(ascii: "f"):
      try scanner.literal("false", in: json)
      return .bool(false)
    case UInt8(ascii: "-"), 0x30...0x39:
      let start = scanner.position
      let number = try scanner.number(in: json)
      if let integer = number.integer(Int64.self, of: json) { return .int(integer) }
      guard let double = number.double(of: json) else { throw WireFault(.badValue, at: start) }
      return .double(double)
    default: throw scanner.unexpectedValue(first)
    }
  }

  private mutating func copy(_ text: JSONScanner.Text, of json: RawSpan) -> Text {
    texts.make { $0.append(text, of: json) }
  }
}
