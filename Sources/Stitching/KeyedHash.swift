public import TraceWire

/// A hash with a secret, for tables whose keys a peer chooses: without the secret nobody can make keys collide.
/// Each round multiplies to the full width and folds the halves, so that every output bit depends on all of the key
/// and of the secret.
public struct KeyedHash: Sendable {
  private let first: UInt64
  private let second: UInt64

  /// A hash with this secret, which comes from a good source of randomness.
  public init(_ first: UInt64, _ second: UInt64) {
    self.first = first
    self.second = second
  }

  /// A hash with a secret drawn from `generator`.
  public init(using generator: inout some RandomNumberGenerator) {
    self.init(generator.next(), generator.next())
  }

  /// Another hash of the same secret, so that two tables do not share their order.
  public func derived(_ number: UInt64) -> KeyedHash {
    KeyedHash(mix(first, number &* 0x9e37_79b9_7f4a_7c15 &+ 1), mix(second, number &* 0xd6e8_feb8_6659_fd93 &+ 3))
  }

  /// The 64-bit hash of a trace ID.
  @inline(__always) public func hash(_ id: TraceID) -> UInt64 { mix(id.high, id.low) }

  @inline(__always) func slot(_ id: TraceID) -> UInt32 { UInt32(truncatingIfNeeded: hash(id)) }

  @inline(__always) func slot(_ id: SpanID) -> UInt32 { UInt32(truncatingIfNeeded: mix(id.rawValue, 0)) }

  /// The hash of a word in a trace: of a span ID, or of a number that stands for something else.
  @inline(__always) func slot(_ id: TraceID, _ word: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: mix(hash(id), word))
  }

  @inline(__always) func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let inner = (left ^ first).multipliedFullWidth(by: right ^ second)
    let folded = inner.high ^ inner.low
    // A peer that happened on `left == first` would zero the product: the key goes in once more.
    let outer = (folded ^ second &+ left).multipliedFullWidth(by: (first ^ right &* 0x9e37_79b9_7f4a_7c15) | 1)
    return outer.high ^ outer.low
  }

  /// The hash of some bytes of a buffer.
  func hash(_ bytes: [UInt8], _ range: Range<Int>) -> UInt64 {
    var state = UInt64(truncatingIfNeeded: range.count)
    var word: UInt64 = 0
    var filled = 0
    for index in range {
      word = word << 8 | UInt64(bytes[index])
      filled &+= 1
      if filled == 8 {
        state = mix(state, word)
        word = 0
        filled = 0
      }
    }
    return mix(state, word)
  }
}
