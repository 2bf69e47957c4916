/// The region pairs a trace has crossed between. Four lie in the trace itself, more in a set of their own.
struct PairSet: Sendable {
  /// Numbers plus one; 0 is free.
  private var near = SIMD4<UInt32>.zero
  private var far: Set<UInt32> = []
  private(set) var count = 0

  init() {}

  /// Adds a pair; whether it is new.
  @inline(__always) mutating func insert(_ pair: UInt32) -> Bool {
    for lane in 0..<4 {
      if near[lane] == pair &+ 1 { return false }
      if near[lane] == 0 {
        near[lane] = pair &+ 1
        count &+= 1
        return true
      }
    }
    guard far.insert(pair).inserted else { return false }
    count &+= 1
    return true
  }

  func forEach(_ body: (UInt32) -> Void) {
    for lane in 0..<4 where near[lane] != 0 { body(near[lane] &- 1) }
    far.forEach(body)
  }
}
