/// The forwarder's randomness: SplitMix64, so that a lane can be replayed from its seed. Not for secrets.
struct Jitter: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// A number in 0..<1.
  mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z &>> 31)) &>> 11) / Double(1 << 53)
  }
}
