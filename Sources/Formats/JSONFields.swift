internal import TraceWire

/// A walk over JSON that other tracing systems wrote: objects by their members' names, values of the types wanted.
/// `null` is absent everywhere.
struct JSONFields {
  var scanner = JSONScanner()

  /// A member's name that is known here.
  struct Name {
    fileprivate var range: Range<Int>

    /// Whether it is this one. Names are compared as they are written: nobody escapes them.
    func matches(_ name: StaticString, in json: RawSpan) -> Bool {
      range.count == name.utf8CodeUnitCount && json.starts(at: range.lowerBound, with: name)
    }
  }

  /// Reads an opening bracket: false where the list is `null` or has no elements.
  mutating func openList(in json: RawSpan) throws(WireFault) -> Bool {
    try open(UInt8(ascii: "["), UInt8(ascii: "]"), in: json)
  }

  /// Whether another element follows.
  mutating func hasElement(in json: RawSpan) throws(WireFault) -> Bool {
    try scanner.hasAnother(before: UInt8(ascii: "]"), in: json)
  }

  /// Reads an opening brace: false where the object is `null` or has no members.
  mutating func openObject(in json: RawSpan) throws(WireFault) -> Bool {
    try open(UInt8(ascii: "{"), UInt8(ascii: "}"), in: json)
  }

  /// Whether another member follows.
  mutating func hasMember(in json: RawSpan) throws(WireFault) -> Bool {
    try scanner.hasAnother(before: UInt8(ascii: "}"), in: json)
  }

  private mutating func open(_ opening: UInt8, _ closing: UInt8, in json: RawSpan) throws(WireFault) -> Bool {
    guard try !scanner.isNull(in: json) else { return false }
    let first = try scanner.peek(in: json)
    guard first == opening else { throw scanner.unexpectedValue(first) }
    return try scanner.open(closing: closing, in: json)
  }

  /// Reads a member's name; `nil`, and its value skipped, where the value is `null`.
  mutating func name(in json: RawSpan) throws(WireFault) -> Name? {
    let key = try scanner.key(in: json)
    return try scanner.isNull(in: json) ? nil : Name(range: key.range)
  }

  mutating func string(in json: RawSpan) throws(WireFault) -> JSONScanner.Text {
    let first = try scanner.peek(in: json)
    guard first == UInt8(ascii: "\"") else { throw scanner.unexpectedValue(first) }
    return try scanner.string(in: json)
  }

  mutating func bool(in json: RawSpan) throws(WireFault) -> Bool {
    let first = try scanner.peek(in: json)
    switch first {
    case UInt8(ascii: "t"): try scanner.literal("true", in: json)
    case UInt8(ascii: "f"): try scanner.literal("false", in: json)
    default: throw scanner.unexpectedValue(first)
    }
    return first == UInt8(ascii: "t")
  }

  /// A whole number, which may stand in a string; a negative one counts as 0.
  mutating func count(in json: RawSpan) throws(WireFault) -> UInt64 {
    let first = try scanner.peek(in: json)
    let start = scanner.position
    if first == UInt8(ascii: "\"") {
      let text = try scanner.string(in: json)
      guard let number = try? JSONNumber(text.range, of: json), number.end == text.range.upperBound,
        let value = Self.count(number, in: json)
      else { throw WireFault(.badValue, at: start) }
      return value
    }
    // Nearly every number here is a time of sixteen digits.
    var value: UInt64 = 0
    var offset = start
    while offset < json.byteCount, offset &- start < 18, (0x30...0x39).contains(json.byte(at: offset)) {
      value = value &* 10 &+ UInt64(json.byte(at: offset) &- 0x30)
      offset &+= 1
    }
    if offset > start, offset < json.byteCount, json.byte(at: start) != 0x30,
      json.byte(at: offset) == UInt8(ascii: ",") || json.byte(at: offset) == UInt8(ascii: "}")
    {
      scanner.move(to: offset)
      return value
    }
    guard first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else { throw scanner.unexpectedValue(first) }
    guard let value = Self.count(try scanner.number(in: json), in: json) else { throw WireFault(.badValue, at: start) }
    return value
  }

  private static func count(_ number: JSONNumber, in json: RawSpan) -> UInt64? {
    number.integer(UInt64.self, of: json) ?? number.integer(Int64.self, of: json).map { UInt64(clamping: $0) }
  }

  /// The hex digits of an ID, padded on the left; all zero where there are more than so many, which makes no valid ID.
  mutating func identifier(digitsMax: Int, in json: RawSpan) throws(WireFault) -> TraceID {
    let text = try string(in: json)
    switch text.range.count {
    case 16 where digitsMax >= 16:
      if let low = json.hexWord(at: text.range.lowerBound) { return TraceID(high: 0, low: low) }
    case 32 where digitsMax >= 32:
      if let high = json.hexWord(at: text.range.lowerBound), let low = json.hexWord(at: text.range.lowerBound &+ 16) {
        return TraceID(high: high, low: low)
      }
    default: break
    }
    var id = TraceID()
    for offset in text.range {
      guard let digit = json.byte(at: offset).hexDigitValue else { throw WireFault(.badValue, at: offset) }
      id.high = id.high << 4 | id.low >> 60
      id.low = id.low << 4 | UInt64(digit)
    }
    return text.range.count > digitsMax ? TraceID() : id
  }

  mutating func skip(in json: RawSpan) throws(WireFault) { try scanner.skipValue(in: json) }
}
