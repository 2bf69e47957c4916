/// The pieces of a separated header value, one after the other, without the optional whitespace around them.
/// Members of `tracestate` and `baggage` (`,`) and what is inside them (`;`) are read with it; empty pieces are skipped.
struct TraceStatePieces {
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
      var upper = position
      while upper < end, bytes.octet(upper) != separator { upper &+= 1 }
      let piece = bytes.trimmingWhitespace(position..<upper)
      position = min(upper &+ 1, end)
      if !piece.isEmpty { return piece }
    }
    return nil
  }
}

extension RawSpan {
  /// The byte at an offset that the caller has checked; the load checks it again.
  @inline(__always) func octet(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

  /// The offset of the first such byte in a range of these bytes.
  func firstOffset(of byte: UInt8, in range: Range<Int>) -> Int? {
    var offset = range.lowerBound
    while offset < range.upperBound {
      if octet(offset) == byte { return offset }
      offset &+= 1
    }
    return nil
  }

  /// The range without the spaces and tabs at its ends (RFC 9110's OWS).
  func trimmingWhitespace(_ range: Range<Int>) -> Range<Int> {
    var lower = range.lowerBound
    var upper = range.upperBound
    while lower < upper, octet(lower) == 0x20 || octet(lower) == 0x09 { lower &+= 1 }
    while lower < upper, octet(upper &- 1) == 0x20 || octet(upper &- 1) == 0x09 { upper &-= 1 }
    return lower..<upper
  }

  /// Whether the range holds exactly these two bytes.
  func holds(_ first: UInt8, _ second: UInt8, at range: Range<Int>) -> Bool {
    range.count == 2 && octet(range.lowerBound) == first && octet(range.lowerBound &+ 1) == second
  }

  /// The number that 1 to 14 lowercase hex digits say; `nil` for anything else.
  func lowercaseHex(_ range: Range<Int>) -> UInt64? {
    guard (1...14).contains(range.count) else { return nil }
    var value: UInt64 = 0
    for offset in range {
      let byte = octet(offset)
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt64(byte &- 0x30)
      case 0x61...0x66: value = value << 4 | UInt64(byte &- 0x57)
      default: return nil
      }
    }
    return value
  }
}
