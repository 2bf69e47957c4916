/// What the `ot` member of a W3C tracestate says about sampling (OpenTelemetry, "TraceState: probability sampling").
///
/// The member's value is `k:v;k:v`. Of a key that stands there twice, and of `ot` members that do, the first counts.
public struct OTTraceState: Sendable, Hashable {
  /// Whether there is an `ot` member at all.
  public var hasOT = false
  /// `th`: 1 to 14 lowercase hex digits; `nil` where it is absent or malformed.
  public var threshold: Threshold?
  /// `rv`: exactly 14 lowercase hex digits; `nil` where it is absent or malformed.
  public var randomness: UInt64?

  /// An absent tracestate.
  public init() {}

  /// Reads the tracestate in a range of the bytes. Never allocates and never fails: what is malformed is absent.
  public static func read(_ range: ByteRange, of bytes: RawSpan) -> OTTraceState {
    var state = OTTraceState()
    guard !range.isEmpty else { return state }
    var members = TraceStatePieces(of: range.offsets, in: bytes, separatedBy: UInt8(ascii: ","))
    while let member = members.next(in: bytes) {
      guard let value = otValue(of: member, in: bytes) else { continue }
      state.hasOT = true
      state.readKeys(value, of: bytes)
      break
    }
    return state
  }

  private mutating func readKeys(_ value: Range<Int>, of bytes: RawSpan) {
    var hasSeenThreshold = false
    var hasSeenRandomness = false
    var keys = TraceStatePieces(of: value, in: bytes, separatedBy: UInt8(ascii: ";"))
    while let pair = keys.next(in: bytes) {
      let colon = bytes.firstOffset(of: UInt8(ascii: ":"), in: pair) ?? pair.upperBound
      let digits = min(colon &+ 1, pair.upperBound)..<pair.upperBound
      let key = pair.lowerBound..<colon
      if !hasSeenThreshold, bytes.holds(UInt8(ascii: "t"), UInt8(ascii: "h"), at: key) {
        hasSeenThreshold = true
        if let number = bytes.lowercaseHex(digits) {
          threshold = Threshold(rawValue: number << UInt64(truncatingIfNeeded: 4 &* (14 &- digits.count)))
        }
      } else if !hasSeenRandomness, bytes.holds(UInt8(ascii: "r"), UInt8(ascii: "v"), at: key) {
        hasSeenRandomness = true
        if digits.count == 14 { randomness = bytes.lowercaseHex(digits) }
      }
    }
  }

  /// The value of a tracestate member whose key is `ot`.
  static func otValue(of member: Range<Int>, in bytes: RawSpan) -> Range<Int>? {
    guard member.count >= 3, bytes.byte(at: member.lowerBound &+ 2) == UInt8(ascii: "="),
      bytes.holds(UInt8(ascii: "o"), UInt8(ascii: "t"), at: member.lowerBound..<(member.lowerBound &+ 2))
    else { return nil }
    return (member.lowerBound &+ 3)..<member.upperBound
  }
}

extension ByteRange {
  init(_ range: Range<Int>) { self.init(range.lowerBound, range.upperBound) }

  /// The range as offsets, empty rather than a trap where the ends are the wrong way round.
  var offsets: Range<Int> { Int(lower)..<Int(max(lower, upper)) }
}
