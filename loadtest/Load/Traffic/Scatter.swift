/// Numbers that look random and are a function of what they are asked for: SplitMix64's finisher, a bijection, so that
/// different numbers stay different.
enum Scatter {
  static let golden: UInt64 = 0x9e37_79b9_7f4a_7c15

  @inline(__always)
  static func word(_ number: UInt64) -> UInt64 {
    var mixed = number &+ golden
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// A seeded source of randomness, for what is prepared once.
public struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  /// Numbers that the seed brings back.
  public init(seed: UInt64) { state = Scatter.word(seed) }

  public mutating func next() -> UInt64 {
    state &+= Scatter.golden
    return Scatter.word(state)
  }
}
