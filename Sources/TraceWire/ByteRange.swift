/// A half-open range of byte offsets in the buffer a view was made over. Requests are below 4 GiB by their limit.
@frozen public struct ByteRange: Hashable, Sendable {
  /// The first byte's offset.
  public var lower: UInt32
  /// The offset after the last byte.
  public var upper: UInt32

  /// Makes a range of two offsets that the caller has checked.
  @inlinable public init(_ lower: Int, _ upper: Int) {
    self.lower = UInt32(truncatingIfNeeded: lower)
    self.upper = UInt32(truncatingIfNeeded: upper)
  }

  /// The range that stands for "absent".
  @inlinable public init() {
    lower = 0
    upper = 0
  }

  /// The number of bytes.
  @inlinable public var count: Int { Int(upper &- lower) }
  /// Whether there are no bytes: absent, or an empty string, which OTLP treats alike.
  @inlinable public var isEmpty: Bool { lower == upper }
  /// The same range as array indices.
  @inlinable public var indices: Range<Int> { Int(lower)..<Int(upper) }
}
