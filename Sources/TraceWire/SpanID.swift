/// A span ID: 8 bytes, big endian. Zero stands for "none" (W3C Trace Context 3.2.2.4).
@frozen public struct SpanID: Hashable, Sendable {
  /// The eight bytes as a big-endian word.
  public var rawValue: UInt64

  /// Makes an ID of its big-endian word.
  @inlinable public init(_ rawValue: UInt64 = 0) { self.rawValue = rawValue }

  /// Whether the ID is anything but all zero.
  @inlinable public var isValid: Bool { rawValue != 0 }
}
