extension JSONScanner {
  /// Reads a string whose opening quote is next: its escapes and its UTF-8 are checked.
  package mutating func string(in bytes: RawSpan) throws(WireFault) -> Text {
    let start = position &+ 1
    var offset = start
    var hasEscapes = false
    while true {
      offset = bytes.firstSpecialOffset(from: offset)
      guard offset < bytes.byteCount else { throw WireFault(.truncated, at: offset) }
      let byte = bytes.byte(at: offset)
      if byte == UInt8(ascii: "\"") {
        move(to: offset &+ 1)
        return Text(range: start..<offset, hasEscapes: hasEscapes)
      }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        offset = try Self.escapeEnd(offset, in: bytes)
      } else {
        guard let count = bytes.multibyteCount(at: offset) else { throw WireFault(.badSyntax, at: offset) }
        offset &+= count
      }
    }
  }

  private static func escapeEnd(_ offset: Int, in bytes: RawSpan) throws(WireFault) -> Int {
    guard offset &+ 1 < bytes.byteCount else { throw WireFault(.truncated, at: bytes.byteCount) }
    switch bytes.byte(at: offset &+ 1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return offset &+ 2
    case UInt8(ascii: "u"):
      for index in 2..<6 {
        guard offset &+ index < bytes.byteCount else { throw WireFault(.truncated, at: bytes.byteCount) }
        guard bytes.byte(at: offset &+ index).hexDigitValue != nil else { throw WireFault(.badSyntax, at: offset) }
      }
      return offset &+ 6
    default: throw WireFault(.badSyntax, at: offset)
    }
  }
}

extension [UInt8] {
  /// Appends what a checked JSON string stands for. A surrogate without its other half becomes U+FFFD.
  package mutating func append(_ text: JSONScanner.Text, of bytes: RawSpan) {
    guard text.hasEscapes else {
      append(ByteRange(text.range), of: bytes)
      return
    }
    var offset = text.range.lowerBound
    while offset < text.range.upperBound {
      let next = bytes.firstOffset(of: UInt8(ascii: "\\"), in: offset..<text.range.upperBound) ?? text.range.upperBound
      append(ByteRange(offset, next), of: bytes)
      guard next < text.range.upperBound else { return }
      offset = appendEscape(at: next, before: text.range.upperBound, of: bytes)
    }
  }

  private mutating func appendEscape(at offset: Int, before end: Int, of bytes: RawSpan) -> Int {
    switch bytes.byte(at: offset &+ 1) {
    case UInt8(ascii: "b"): append(0x08)
    case UInt8(ascii: "f"): append(0x0c)
    case UInt8(ascii: "n"): append(0x0a)
    case UInt8(ascii: "r"): append(0x0d)
    case UInt8(ascii: "t"): append(0x09)
    case UInt8(ascii: "u"):
      let unit = bytes.codeUnit(at: offset)
      if unit & 0xfc00 == 0xd800, end &- offset >= 12, bytes.byte(at: offset &+ 6) == UInt8(ascii: "\\"),
        bytes.byte(at: offset &+ 7) == UInt8(ascii: "u")
      {
        let low = bytes.codeUnit(at: offset &+ 6)
        if low & 0xfc00 == 0xdc00 {
          append(scalar: 0x1_0000 &+ ((unit & 0x3ff) << 10 | low & 0x3ff))
          return offset &+ 12
        }
      }
      append(scalar: unit & 0xf800 == 0xd800 ? 0xfffd : unit)
      return offset &+ 6
    case let character: append(character)
    }
    return offset &+ 2
  }

  /// Appends the UTF-8 of a scalar value.
  private mutating func append(scalar: UInt32) {
    func continuation(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: scalar >> shift & 0x3f | 0x80) }
    switch scalar {
    case 0..<0x80: append(UInt8(truncatingIfNeeded: scalar))
    case 0x80..<0x800:
      append(UInt8(truncatingIfNeeded: scalar >> 6 | 0xc0))
      append(continuation(0))
    case 0x800..<0x1_0000:
      append(UInt8(truncatingIfNeeded: scalar >> 12 | 0xe0))
      append(continuation(6))
      append(continuation(0))
    default:
      append(UInt8(truncatingIfNeeded: scalar >> 18 | 0xf0))
      append(continuation(12))
      append(continuation(6))
      append(continuation(0))
    }
  }
}

extension RawSpan {
  /// The offset of the first quote, backslash, control character or byte past ASCII; the count where there is none.
  func firstSpecialOffset(from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    var offset = start
    // Eight bytes at once: a top bit is set where a byte may be special (Mycroft's zero-byte test).
    while byteCount &- offset >= 8 {
      let word = littleEndian64(at: offset)
      let quote = word ^ (ones &* 0x22)
      let backslash = word ^ (ones &* 0x5c)
      let control = (word &- (ones &* 0x20)) & ~word
      let found = (quote &- ones) & ~quote | (backslash &- ones) & ~backslash | control | word
      // The lowest is one: borrows reach only what is above a byte that is.
      if found & tops != 0 { return offset &+ (found & tops).trailingZeroBitCount / 8 }
      offset &+= 8
    }
    while offset < byteCount {
      let value = byte(at: offset)
      if value < 0x20 || value >= 0x80 || value == UInt8(ascii: "\"") || value == UInt8(ascii: "\\") { break }
      offset &+= 1
    }
    return offset
  }

  /// What the sixteen hex digits at an offset stand for; `nil` where one of them is none.
  package func hexWord(at offset: Int) -> UInt64? {
    guard let high = hexHalf(at: offset), let low = hexHalf(at: offset &+ 8) else { return nil }
    return high << 32 | low
  }

  /// Eight hex digits at once, each in its byte.
  @inline(__always)
  private func hexHalf(at offset: Int) -> UInt64? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let word = bigEndian64(at: offset)
    // A top bit is set where the byte is no less than the limit; none is carried over, as all are below 0x80.
    func reaches(_ limit: UInt64, _ bytes: UInt64) -> UInt64 { (bytes & ~tops) &+ (0x80 &- limit) &* ones }
    let lowercase = word | 0x20 &* ones
    let isDigit = reaches(0x30, word) & ~reaches(0x3a, word)
    let isLetter = reaches(0x61, lowercase) & ~reaches(0x67, lowercase)
    guard (isDigit | isLetter) & ~word & tops == tops else { return nil }
    var digits = (word & (0x0f &* ones)) &+ 9 &* ((word >> 6) & ones)
    digits = (digits | digits >> 4) & 0x00ff_00ff_00ff_00ff
    digits = (digits | digits >> 8) & 0x0000_ffff_0000_ffff
    return (digits | digits >> 16) & 0xffff_ffff
  }

  /// How many bytes the UTF-8 sequence past ASCII at an offset has; `nil` where it is not well formed (Unicode,
  /// table 3-7), and for control characters.
  func multibyteCount(at offset: Int) -> Int? {
    func isContinuation(_ index: Int, _ bounds: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
      offset &+ index < byteCount && bounds.contains(byte(at: offset &+ index))
    }
    switch byte(at: offset) {
    case 0xc2...0xdf: return isContinuation(1) ? 2 : nil
    case 0xe0: return isContinuation(1, 0xa0...0xbf) && isContinuation(2) ? 3 : nil
    case 0xed: return isContinuation(1, 0x80...0x9f) && isContinuation(2) ? 3 : nil
    case 0xe1...0xef: return isContinuation(1) && isContinuation(2) ? 3 : nil
    case 0xf0: return isContinuation(1, 0x90...0xbf) && isContinuation(2) && isContinuation(3) ? 4 : nil
    case 0xf1...0xf3: return isContinuation(1) && isContinuation(2) && isContinuation(3) ? 4 : nil
    case 0xf4: return isContinuation(1, 0x80...0x8f) && isContinuation(2) && isContinuation(3) ? 4 : nil
    default: return nil
    }
  }

  /// The UTF-16 code unit of the checked four hex digits at an offset.
  fileprivate func codeUnit(at offset: Int) -> UInt32 {
    var unit: UInt32 = 0
    for index in 2..<6 { unit = unit << 4 | UInt32(byte(at: offset &+ index).hexDigitValue ?? 0) }
    return unit
  }
}
