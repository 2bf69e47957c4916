/// The region pairs that one trace has crossed between: four lie in the trace itself, more in a `FarPairs`.
struct PairSet: Sendable {
  /// Numbers plus one; 0 is free. Numbers of pairs are below 65 535 (`InternTable`).
  fileprivate var near = SIMD4<UInt16>.zero
  /// Its number in `FarPairs`.
  fileprivate var far: UInt32 = .max

  init() {}
}

/// The sets of the traces that crossed between more pairs than most.
struct FarPairs: Sendable {
  private var sets = ChunkedArray<Set<UInt32>>()
  private var free = ChunkedArray<UInt32>()

  init() {}

  /// Adds a pair to a trace's; whether it is new.
  @inline(__always) mutating func insert(_ pair: UInt32, to pairs: inout PairSet) -> Bool {
    let word = UInt16(truncatingIfNeeded: pair &+ 1)
    for lane in 0..<4 {
      if pairs.near[lane] == word { return false }
      if pairs.near[lane] == 0 {
        pairs.near[lane] = word
        return true
      }
    }
    return insertFar(pair, to: &pairs)
  }

  @inline(never) private mutating func insertFar(_ pair: UInt32, to pairs: inout PairSet) -> Bool {
    if pairs.far == .max {
      pairs.far = free.popLast() ?? UInt32(truncatingIfNeeded: sets.count)
      if Int(pairs.far) == sets.count { sets.append([]) }
    }
    return sets[Int(pairs.far)].insert(pair).inserted
  }

  /// What a trace is charged with for them.
  @inline(__always) func heldBytes(_ pairs: PairSet) -> Int {
    pairs.far == .max ? 0 : 64 &+ sets[Int(pairs.far)].capacity &* 8
  }

  /// The pairs of a trace.
  func read(_ pairs: PairSet) -> [UInt32] {
    var all: [UInt32] = []
    for lane in 0..<4 where pairs.near[lane] != 0 { all.append(UInt32(pairs.near[lane]) &- 1) }
    if pairs.far != .max { all.append(contentsOf: sets[Int(pairs.far)]) }
    return all
  }

  /// Gives back the room of a trace's.
  mutating func remove(_ pairs: PairSet) {
    guard pairs.far != .max else { return }
    sets[Int(pairs.far)] = []
    free.append(pairs.far)
  }
}
