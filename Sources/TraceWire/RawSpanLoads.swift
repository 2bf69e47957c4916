// Loads from a peer's buffer. All of them are checked against the buffer's bounds by `RawSpan` itself ("unsafe" in
// the standard library's names is about types that not every bit pattern is valid for; integers have none such).

extension RawSpan {
  /// The byte at an offset.
  @inlinable
  @inline(__always)
  package func byte(at offset: Int) -> UInt8 { unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self) }

  @inline(__always)
  func littleEndian16(at offset: Int) -> UInt16 {
    UInt16(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  @inline(__always)
  func littleEndian64(at offset: Int) -> UInt64 {
    UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  @inline(__always)
  func littleEndian32(at offset: Int) -> UInt32 {
    UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// Four bytes as network protocols order them.
  @inlinable
  @inline(__always)
  package func bigEndian32(at offset: Int) -> UInt32 {
    UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// The word as IDs hold it.
  @inlinable
  @inline(__always)
  package func bigEndian64(at offset: Int) -> UInt64 {
    UInt64(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}

extension [UInt8] {
  /// Appends a part of a buffer.
  package mutating func append(_ range: ByteRange, of bytes: RawSpan) {
    // SAFETY: the pointer does not leave the closure, and `extracting` has checked the range.
    bytes.extracting(range.indices).withUnsafeBytes { append(contentsOf: $0) }
  }
}
