/// The pieces of a separated header value, one after the other, without the optional whitespace around them.
/// Members of `tracestate` and `baggage` (`,`) and what is inside them (`;`) are read with it; empty pieces are skipped.
struct TraceStatePieces: Sendable {
  private let separator: UInt8
  private var position: Int
  private let end: Int

  /// Pieces of a range, which is cut to what the bytes hold.
  init(of range: Range<Int>, in bytes: RawSpan, separatedBy separator: UInt8) {
    self.separator = separator
    end = min(range.upperBound, bytes.byteCount)
    position = min(range.lowerBound, end)
  }

  /// The next piece that is not empty.
  mutating func next(in bytes: RawSpan) -> Range<Int>? {
    while position < end {
      let upper = bytes.firstOffset(of: separator, in: position..<end) ?? end
      let piece = bytes.trimmingWhitespace(position..<upper)
      position = min(upper &+ 1, end)
      if !piece.isEmpty { return piece }
    }
    return nil
  }
}

extension RawSpan {
  /// The offset of the first such byte in a range of these bytes.
  func firstOffset(of value: UInt8, in range: Range<Int>) -> Int? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var offset = range.lowerBound
    // Eight bytes at once: the lowest top bit that is set stands for the first byte that matches.
    while range.upperBound &- offset >= 8 {
      let differences = littleEndian64(at: offset) ^ (ones &* UInt64(value))
      let matches = (differences &- ones) & ~differences & (ones &* 0x80)
      if matches != 0 { return offset &+ matches.trailingZeroBitCount / 8 }
      offset &+= 8
    }
    while offset < range.upperBound {
      if byte(at: offset) == value { return offset }
      offset &+= 1
    }
    return nil
  }

  /// The range without the spaces and tabs at its ends (RFC 9110's OWS).
  func trimmingWhitespace(_ range: Range<Int>) -> Range<Int> {
    var lower = range.lowerBound
    var upper = range.upperBound
    while lower < upper, byte(at: lower) == 0x20 || byte(at: lower) == 0x09 { lower &+= 1 }
    while lower < upper, byte(at: upper &- 1) == 0x20 || byte(at: upper &- 1) == 0x09 { upper &-= 1 }
    return lower..<upper
  }

  /// Whether the range holds exactly these two bytes.
  func holds(_ first: UInt8, _ second: UInt8, at range: Range<Int>) -> Bool {
    range.count == 2 && byte(at: range.lowerBound) == first && byte(at: range.lowerBound &+ 1) == second
  }

  /// The number that 1 to 14 lowercase hex digits say; `nil` for anything else.
  func lowercaseHex(_ range: Range<Int>) -> UInt64? {
    guard (1...14).contains(range.count) else { return nil }
    var value: UInt64 = 0
    for offset in range {
      let digit = byte(at: offset)
      switch digit {
      case 0x30...0x39: value = value << 4 | UInt64(digit &- 0x30)
      case 0x61...0x66: value = value << 4 | UInt64(digit &- 0x57)
      default: return nil
      }
    }
    return value
  }
}
