internal import TraceWire

// SAFETY: every load goes through the bounds-checked form of `unsafeLoadUnaligned`, of types for which all bits are
// valid; the attribute is only on the name.
extension RawSpan {
  /// The byte at an offset, checked.
  @inline(__always)
  func byte(at offset: Int) -> UInt8 { unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self) }

  /// Eight bytes from an offset as a word in the machine's own order, checked.
  @inline(__always)
  func word(at offset: Int) -> UInt64 { unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self) }

  /// A copy of a range.
  func array(_ range: ByteRange) -> [UInt8] {
    var copy: [UInt8] = []
    append(range, to: &copy)
    return copy
  }

  /// Appends a range to an array.
  func append(_ range: ByteRange, to output: inout [UInt8]) {
    extracting(range.indices).withUnsafeBytes { unsafe output.append(contentsOf: $0) }
  }

  /// Whether a range holds these bytes.
  func equals(_ range: ByteRange, _ other: [UInt8]) -> Bool {
    range.count == other.count && other.indices.allSatisfy { byte(at: Int(range.lower) &+ $0) == other[$0] }
  }

  /// Whether a range holds the same bytes as a range of another view.
  func equals(_ range: ByteRange, _ otherRange: ByteRange, of other: RawSpan) -> Bool {
    guard range.count == otherRange.count else { return false }
    var left = Int(range.lower)
    var right = Int(otherRange.lower)
    let end = Int(range.upper)
    while end &- left >= 8 {
      if word(at: left) != other.word(at: right) { return false }
      left &+= 8
      right &+= 8
    }
    while left < end {
      if byte(at: left) != other.byte(at: right) { return false }
      left &+= 1
      right &+= 1
    }
    return true
  }
}

extension Array {
  /// Empties an array that is used again and again; room past `capacityMax` elements, which something unusual took, is
  /// given back.
  mutating func empty(capacityMax: Int) {
    if capacity > capacityMax { self = [] } else { removeAll(keepingCapacity: true) }
  }
}
