/// Reads JSON tokens (RFC 8259) one after the other, strictly. Offsets of faults are offsets in the text.
package struct JSONScanner {
  /// A string: what is between its quotes. Escapes and UTF-8 are already checked.
  package struct Text {
    package var range: Range<Int>
    package var hasEscapes: Bool
  }

  /// Offset of the next byte to read.
  package private(set) var position = 0

  /// Makes a reader at the start of a text.
  package init() {}

  /// Steps over whitespace and gives the byte that is next, which stays unread.
  @inline(__always)
  package mutating func peek(in bytes: RawSpan) throws(WireFault) -> UInt8 {
    // Programs write little whitespace.
    if position < bytes.byteCount {
      let next = bytes.byte(at: position)
      if next > 0x20 { return next }
    }
    return try peekPastWhitespace(in: bytes)
  }

  @inline(never)
  private mutating func peekPastWhitespace(in bytes: RawSpan) throws(WireFault) -> UInt8 {
    while position < bytes.byteCount {
      let next = bytes.byte(at: position)
      guard next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 else { return next }
      position &+= 1
    }
    throw WireFault(.truncated, at: position)
  }

  /// Steps over the byte that `peek` gave.
  package mutating func advance() { position &+= 1 }

  /// Reads a character of JSON's structure.
  package mutating func expect(_ character: UInt8, in bytes: RawSpan) throws(WireFault) {
    guard try peek(in: bytes) == character else { throw WireFault(.badSyntax, at: position) }
    position &+= 1
  }

  /// Reads the separator after a member or element: true where another follows, false after the closing character.
  package mutating func hasAnother(before closing: UInt8, in bytes: RawSpan) throws(WireFault) -> Bool {
    let next = try peek(in: bytes)
    guard next == UInt8(ascii: ",") || next == closing else { throw WireFault(.badSyntax, at: position) }
    position &+= 1
    return next != closing
  }

  /// Reads the opening of an object or array: true where it has content, false where it is closed at once.
  package mutating func open(closing: UInt8, in bytes: RawSpan) throws(WireFault) -> Bool {
    position &+= 1
    guard try peek(in: bytes) == closing else { return true }
    position &+= 1
    return false
  }

  /// Reads a member's name and its colon.
  package mutating func key(in bytes: RawSpan) throws(WireFault) -> Text {
    guard try peek(in: bytes) == UInt8(ascii: "\"") else { throw WireFault(.badSyntax, at: position) }
    let key = try string(in: bytes)
    try expect(UInt8(ascii: ":"), in: bytes)
    return key
  }

  /// Checks that nothing but whitespace is left.
  package mutating func expectEnd(in bytes: RawSpan) throws(WireFault) {
    guard (try? peek(in: bytes)) == nil else { throw WireFault(.badSyntax, at: position) }
  }

  /// Reads `true`, `false` or `null`.
  package mutating func literal(_ text: StaticString, in bytes: RawSpan) throws(WireFault) {
    let start = position
    for index in 0..<text.utf8CodeUnitCount {
      guard position < bytes.byteCount else { throw WireFault(.truncated, at: position) }
      // SAFETY: the index is below the static string's count.
      guard bytes.byte(at: position) == text.utf8Start[index] else { throw WireFault(.badSyntax, at: start) }
      position &+= 1
    }
  }

  /// Reads `null` where it stands next.
  package mutating func isNull(in bytes: RawSpan) throws(WireFault) -> Bool {
    guard try peek(in: bytes) == UInt8(ascii: "n") else { return false }
    try literal("null", in: bytes)
    return true
  }

  /// The fault of a value that is none of the expected: wrong type where it could be a value at all.
  package func unexpectedValue(_ first: UInt8) -> WireFault {
    switch first {
    case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"), 0x30...0x39,
      UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
      WireFault(.badValue, at: position)
    default: WireFault(.badSyntax, at: position)
    }
  }

  /// Reads a number; its end is where its grammar ends.
  package mutating func number(in bytes: RawSpan) throws(WireFault) -> JSONNumber {
    let number = try JSONNumber(position..<bytes.byteCount, of: bytes)
    position = number.end
    return number
  }

  /// Steps over any value, checking its syntax. Iterative: the open containers are bits, so that depth costs no stack.
  package mutating func skipValue(in bytes: RawSpan) throws(WireFault) {
    var objects: UInt128 = 0
    var depth = 0
    repeat {
      let first = try peek(in: bytes)
      switch first {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard depth < ProtobufCursor.depthMax else { throw WireFault(.tooDeep, at: position) }
        let isObject = first == UInt8(ascii: "{")
        if try open(closing: isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), in: bytes) {
          objects = objects << 1 | (isObject ? 1 : 0)
          depth &+= 1
          if isObject { _ = try key(in: bytes) }
          continue
        }
      case UInt8(ascii: "\""): _ = try string(in: bytes)
      case UInt8(ascii: "t"): try literal("true", in: bytes)
      case UInt8(ascii: "f"): try literal("false", in: bytes)
      case UInt8(ascii: "n"): try literal("null", in: bytes)
      case UInt8(ascii: "-"), 0x30...0x39: _ = try number(in: bytes)
      default: throw WireFault(.badSyntax, at: position)
      }
      while depth > 0 {
        let isObject = objects & 1 == 1
        if try hasAnother(before: isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), in: bytes) {
          if isObject { _ = try key(in: bytes) }
          break
        }
        objects >>= 1
        depth &-= 1
      }
    } while depth > 0
  }

  /// Sets the position; for readers of single values.
  package mutating func move(to offset: Int) { position = offset }
}
