internal import TraceWire

/// A keyed hash of trace IDs and short byte strings. Peers choose both, so without the secret nobody can tell which of
/// them collide. Multiplication folded to 64 bits, as in wyhash: about a nanosecond a word.
struct KeyedHash: Sendable {
  private let first: UInt64
  private let second: UInt64
  private let third: UInt64

  /// Derives the secrets of a seed that nobody outside knows.
  init(seed: UInt64) {
    var state = seed
    func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var word = state
      word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
      word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
      return word ^ (word >> 31)
    }
    first = next() | 1
    second = next() | 1
    third = next() | 1
  }

  @inline(__always)
  private func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }

  @inline(__always)
  func callAsFunction(_ id: TraceID) -> UInt64 {
    fold(fold(id.high ^ first, second) ^ id.low, third)
  }

  @inline(__always)
  func callAsFunction(_ number: UInt32) -> UInt64 { fold(UInt64(number) ^ first, second) }

  func callAsFunction(_ range: ByteRange, of bytes: RawSpan) -> UInt64 {
    var hash = first ^ UInt64(range.count)
    var offset = Int(range.lower)
    let end = Int(range.upper)
    while end &- offset >= 8 {
      hash = fold(hash ^ bytes.word(at: offset), second)
      offset &+= 8
    }
    var tail: UInt64 = 0
    while offset < end {
      tail = tail << 8 | UInt64(bytes.byte(at: offset))
      offset &+= 1
    }
    return fold(fold(hash ^ tail, third), second)
  }
}
