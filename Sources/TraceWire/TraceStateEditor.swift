/// Writes a tracestate with another sampling threshold (W3C Trace Context 3.5, "Mutating the tracestate field").
public enum TraceStateEditor {
  /// W3C Trace Context 3.3.1.1: a list has at most 32 members.
  static let membersMax = 32

  /// Appends the tracestate in a range of the bytes with `ot=th` set to a threshold, or erased where it is `nil`.
  ///
  /// An edited or new `ot` member moves to the front; every other member, and every other key of `ot`, stays as it is
  /// and in order. `th` keeps its place inside `ot`, a new one comes first. An `ot` left without keys is removed, and
  /// of more than 32 members the rightmost are dropped. A second `ot` or `th`, which the specifications forbid, is
  /// removed, lest it count once the first is gone. What already says the same is copied as it is.
  /// `Threshold.never` has no text and erases, too. Nothing is allocated but what `output` grows by.
  public static func settingThreshold(
    _ threshold: Threshold?, in range: ByteRange, of bytes: RawSpan, to output: inout [UInt8]
  ) {
    let tracestate = range.offsets.clamped(to: 0..<bytes.byteCount)
    let digits = threshold.flatMap { $0 == .never ? nil : ThresholdDigits($0) }
    let ot = firstOT(tracestate, of: bytes)
    guard !isSettled(digits, ot: ot, of: bytes) else {
      output.append(ByteRange(tracestate), of: bytes)
      return
    }
    let start = output.count
    appendOT(digits, ot: ot, of: bytes, to: &output)
    var room = membersMax &- (output.count == start ? 0 : 1)
    var members = TraceStatePieces(of: tracestate, in: bytes, separatedBy: UInt8(ascii: ","))
    while room > 0, let member = members.next(in: bytes) {
      guard OTTraceState.otValue(of: member, in: bytes) == nil else { continue }
      if output.count != start { output.append(UInt8(ascii: ",")) }
      output.append(ByteRange(member), of: bytes)
      room &-= 1
    }
  }

  private static func firstOT(_ tracestate: Range<Int>, of bytes: RawSpan) -> Range<Int>? {
    var members = TraceStatePieces(of: tracestate, in: bytes, separatedBy: UInt8(ascii: ","))
    while let member = members.next(in: bytes) {
      if let value = OTTraceState.otValue(of: member, in: bytes) { return value }
    }
    return nil
  }

  private static func isTh(_ pair: Range<Int>, in bytes: RawSpan) -> Bool {
    let colon = bytes.firstOffset(of: UInt8(ascii: ":"), in: pair) ?? pair.upperBound
    return bytes.holds(UInt8(ascii: "t"), UInt8(ascii: "h"), at: pair.lowerBound..<colon)
  }

  /// Whether the first `ot` member has exactly this `th`, once, or none where none is wanted.
  private static func isSettled(_ digits: ThresholdDigits?, ot: Range<Int>?, of bytes: RawSpan) -> Bool {
    guard let ot else { return digits == nil }
    var found = 0
    var isEqual = true
    var keys = TraceStatePieces(of: ot, in: bytes, separatedBy: UInt8(ascii: ";"))
    while let pair = keys.next(in: bytes) {
      guard isTh(pair, in: bytes) else { continue }
      found &+= 1
      isEqual = isEqual && digits?.isText(pair.dropFirst(3), of: bytes) == true
    }
    return digits == nil ? found == 0 : found == 1 && isEqual
  }

  /// Appends the `ot` member with the new `th`, or nothing where no key is left.
  private static func appendOT(
    _ digits: ThresholdDigits?, ot: Range<Int>?, of bytes: RawSpan, to output: inout [UInt8]
  ) {
    let value = ot ?? 0..<0
    var pending = digits
    var separator = UInt8(ascii: "=")
    func begin(_ output: inout [UInt8]) {
      if separator == UInt8(ascii: "=") {
        output.append(UInt8(ascii: "o"))
        output.append(UInt8(ascii: "t"))
      }
      output.append(separator)
      separator = UInt8(ascii: ";")
    }
    if let digits, !hasTh(value, of: bytes) {
      begin(&output)
      digits.append(to: &output)
      pending = nil
    }
    var keys = TraceStatePieces(of: value, in: bytes, separatedBy: UInt8(ascii: ";"))
    while let pair = keys.next(in: bytes) {
      if isTh(pair, in: bytes) {
        guard let digits = pending else { continue }
        begin(&output)
        digits.append(to: &output)
        pending = nil
      } else {
        begin(&output)
        output.append(ByteRange(pair), of: bytes)
      }
    }
  }

  private static func hasTh(_ value: Range<Int>, of bytes: RawSpan) -> Bool {
    var keys = TraceStatePieces(of: value, in: bytes, separatedBy: UInt8(ascii: ";"))
    while let pair = keys.next(in: bytes) {
      if isTh(pair, in: bytes) { return true }
    }
    return false
  }
}

/// A threshold's text, computed without an array: 1 to 14 lowercase hex digits without trailing zeros.
private struct ThresholdDigits {
  let value: UInt64
  let count: Int

  init(_ threshold: Threshold) {
    value = threshold.rawValue
    count = value == 0 ? 1 : 14 &- value.trailingZeroBitCount / 4
  }

  func digit(_ index: Int) -> UInt8 {
    let nibble = UInt8(truncatingIfNeeded: value >> UInt64(truncatingIfNeeded: 52 &- 4 &* index)) & 0xf
    return nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble
  }

  func isText(_ range: Range<Int>, of bytes: RawSpan) -> Bool {
    guard range.count == count else { return false }
    for index in 0..<count where bytes.byte(at: range.lowerBound &+ index) != digit(index) { return false }
    return true
  }

  func append(to output: inout [UInt8]) {
    output.append(UInt8(ascii: "t"))
    output.append(UInt8(ascii: "h"))
    output.append(UInt8(ascii: ":"))
    for index in 0..<count { output.append(digit(index)) }
  }
}
