import LinearRegex

extension Matcher {
  /// Whether a whole text has a match.
  mutating func matches(_ text: [UInt8]) -> Bool { matches(text.span.bytes, in: 0..<text.count) }

  /// Looks for a match in a whole text, and gives where it is.
  mutating func find(_ text: [UInt8]) -> Range<Int>? {
    find(text.span.bytes, in: 0..<text.count) ? capture(0) : nil
  }
}
