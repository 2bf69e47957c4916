/// A JSON number, taken apart but not rounded: its digits lie in the text.
package struct JSONNumber {
  private var isNegative = false
  private var start: Int
  private var whole: Range<Int>
  private var fraction: Range<Int>
  /// Clamped far outside of what any number type holds.
  private var exponent = 0
  /// Offset after the number.
  package private(set) var end: Int

  /// Reads the number at the start of a range (RFC 8259, section 6), as far as the grammar goes.
  package init(_ range: Range<Int>, of bytes: RawSpan) throws(WireFault) {
    start = range.lowerBound
    end = range.lowerBound
    whole = 0..<0
    fraction = 0..<0
    func isNext(_ character: UInt8) -> Bool { end < range.upperBound && bytes.byte(at: end) == character }
    func fault() -> WireFault { WireFault(end < range.upperBound ? .badSyntax : .truncated, at: end) }
    if isNext(UInt8(ascii: "-")) {
      isNegative = true
      end &+= 1
    }
    whole = bytes.digits(from: end, before: range.upperBound)
    end = whole.upperBound
    guard !whole.isEmpty else { throw fault() }
    guard whole.count == 1 || bytes.byte(at: whole.lowerBound) != 0x30 else { throw WireFault(.badSyntax, at: start) }
    fraction = end..<end
    if isNext(UInt8(ascii: ".")) {
      fraction = bytes.digits(from: end &+ 1, before: range.upperBound)
      end = fraction.upperBound
      guard !fraction.isEmpty else { throw fault() }
    }
    guard isNext(UInt8(ascii: "e")) || isNext(UInt8(ascii: "E")) else { return }
    end &+= 1
    let isInverse = isNext(UInt8(ascii: "-"))
    if isInverse || isNext(UInt8(ascii: "+")) { end &+= 1 }
    let digits = bytes.digits(from: end, before: range.upperBound)
    end = digits.upperBound
    guard !digits.isEmpty else { throw fault() }
    for offset in digits { exponent = min(exponent &* 10 &+ Int(bytes.byte(at: offset) &- 0x30), 1 << 40) }
    if isInverse { exponent = -exponent }
  }

  /// The number as an integer between the bounds; `nil` where it is another, or has a fraction.
  package func integer<Integer: FixedWidthInteger>(_ type: Integer.Type, of bytes: RawSpan) -> Integer? {
    // So many digits stand before the point once the exponent has moved it.
    let count = whole.count &+ exponent
    var magnitude: UInt64 = 0
    var index = 0
    for digits in [whole, fraction] {
      for offset in digits {
        let digit = bytes.byte(at: offset) &- 0x30
        if index < count {
          guard let next = magnitude.appending(digit) else { return nil }
          magnitude = next
        } else if digit != 0 {
          return nil
        }
        index &+= 1
      }
    }
    while index < count, magnitude != 0 {
      guard let next = magnitude.appending(0) else { return nil }
      magnitude = next
      index &+= 1
    }
    if !isNegative { return Integer(exactly: magnitude) }
    guard magnitude <= 1 << 63 else { return nil }
    return Integer(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
  }

  /// The nearest double; `nil` past the largest one.
  package func double(of bytes: RawSpan) -> Double? {
    let digits = whole.count &+ fraction.count
    let power = exponent &- fraction.count
    if digits <= 15, (-22...22).contains(power) {
      var significand: UInt64 = 0
      for offset in whole { significand = significand &* 10 &+ UInt64(bytes.byte(at: offset) &- 0x30) }
      for offset in fraction { significand = significand &* 10 &+ UInt64(bytes.byte(at: offset) &- 0x30) }
      // Both operands are exact, so that the one operation rounds right (Clinger's fast path).
      let magnitude =
        power < 0
        ? Double(significand) / Self.powersOfTen[-power] : Double(significand) * Self.powersOfTen[power]
      return isNegative ? -magnitude : magnitude
    }
    guard let value = Double(bytes.text(ByteRange(start, end))), value.isFinite else { return nil }
    return value
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
    1e20, 1e21, 1e22,
  ]
}

extension UInt64 {
  /// The number with one more decimal digit; `nil` where that is too much.
  fileprivate func appending(_ digit: UInt8) -> UInt64? {
    let (tenfold, hasOverflown) = multipliedReportingOverflow(by: 10)
    let (sum, hasCarried) = tenfold.addingReportingOverflow(UInt64(digit))
    return hasOverflown || hasCarried ? nil : sum
  }
}

extension RawSpan {
  /// The decimal digits at an offset, as many as there are.
  fileprivate func digits(from start: Int, before end: Int) -> Range<Int> {
    var offset = start
    while offset < end, (0x30...0x39).contains(byte(at: offset)) { offset &+= 1 }
    return start..<offset
  }
}
