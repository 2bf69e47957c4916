/// One entry of a W3C baggage header. Ranges are offsets in the buffer the header lies in.
@frozen public struct BaggageMember: Hashable, Sendable {
  /// The entry's name.
  public var key: ByteRange
  /// The value as it is written, percent-encoded; empty where there is none.
  public var value: ByteRange
  /// Name, value and properties, without the whitespace around them: what a rewritten header copies.
  public var whole: ByteRange
}

/// The entries of a W3C baggage header (W3C Baggage 3.2.1.1), one after the other, in order.
///
/// Lenient where the specification allows nothing: empty members are skipped, a member without `=` is a name without a
/// value, and no character is refused, for an entry that is not seen could not be limited. Nothing is allocated.
public struct BaggageHeader: Sendable {
  private var pieces: TraceStatePieces

  /// Reads the header in a range of the bytes, which is cut to what there is.
  public init(_ range: ByteRange, of bytes: RawSpan) {
    pieces = TraceStatePieces(of: range.offsets, in: bytes, separatedBy: UInt8(ascii: ","))
  }

  /// The next entry; the bytes must be those the header was made over.
  public mutating func next(in bytes: RawSpan) -> BaggageMember? {
    guard let member = pieces.next(in: bytes) else { return nil }
    let semicolon = bytes.firstOffset(of: UInt8(ascii: ";"), in: member) ?? member.upperBound
    let pair = member.lowerBound..<semicolon
    let equals = bytes.firstOffset(of: UInt8(ascii: "="), in: pair) ?? semicolon
    let key = bytes.trimmingWhitespace(pair.lowerBound..<equals)
    let value = bytes.trimmingWhitespace(min(equals &+ 1, semicolon)..<semicolon)
    return BaggageMember(key: ByteRange(key), value: ByteRange(value), whole: ByteRange(member))
  }
}
