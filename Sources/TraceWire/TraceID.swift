/// A trace ID: 16 bytes, big endian, as two words. All zero is invalid (W3C Trace Context 3.2.2.3).
@frozen public struct TraceID: Hashable, Sendable {
  /// The first eight bytes.
  public var high: UInt64
  /// The last eight bytes; their low 56 bits are the trace's randomness where no `rv` is given.
  public var low: UInt64

  /// Makes an ID of its two big-endian words.
  @inlinable public init(high: UInt64 = 0, low: UInt64 = 0) {
    self.high = high
    self.low = low
  }

  /// Whether the ID is anything but all zero.
  @inlinable public var isValid: Bool { high | low != 0 }
}
