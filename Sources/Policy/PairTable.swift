/// Spans kept and dropped on one ordered pair of regions.
struct PairCounts: Sendable {
  var source: RegionID
  var target: RegionID
  /// The pair's route: nil where it is none (the same region on both sides, not configured).
  var probability: Double?
  var kept = 0
  var dropped = 0
}

/// The pairs of regions that one loop has met, each with its route's probability looked up once, and its counters.
/// Bounded: pairs past the cap are counted together, under `__overflow__`.
struct PairTable: Sendable {
  private let hash: KeyedHash
  private var slots: [UInt32] = Array(repeating: 0, count: 64)
  /// The first one is what is past the cap.
  private(set) var pairs = [PairCounts(source: .overflow, target: .overflow, probability: nil)]
  /// How often a new pair did not fit.
  private(set) var overflows = 0

  init(hash: KeyedHash) { self.hash = hash }

  /// The index of a pair, or nil where it was not met yet.
  @inline(__always)
  func index(from source: RegionID, to target: RegionID) -> Int? {
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: hash(UInt32(source.rawValue) << 16 | UInt32(target.rawValue))) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot])
      if pairs[index].source == source, pairs[index].target == target { return index }
      slot = (slot &+ 1) & mask
    }
    return nil
  }

  /// Adds a pair that was not met yet; index 0 where the table is full.
  /// - Parameter isAdmitted: Whether the process still has room for it.
  mutating func insert(
    from source: RegionID, to target: RegionID, probability: Double?, isAdmitted: Bool
  ) -> Int {
    guard isAdmitted else {
      overflows &+= 1
      return 0
    }
    pairs.append(PairCounts(source: source, target: target, probability: probability))
    if pairs.count > slots.count / 2 {
      slots = Array(repeating: 0, count: slots.count * 2)
      for index in pairs.indices.dropFirst() { place(index) }
    } else {
      place(pairs.count - 1)
    }
    return pairs.count - 1
  }

  /// Adds the counts of an earlier table's pair.
  mutating func add(_ past: PairCounts, at index: Int) {
    pairs[index].kept &+= past.kept
    pairs[index].dropped &+= past.dropped
  }

  /// Counts a span.
  @inline(__always)
  mutating func count(isKept: Bool, at index: Int) {
    if isKept { pairs[index].kept &+= 1 } else { pairs[index].dropped &+= 1 }
  }

  private mutating func place(_ index: Int) {
    let mask = slots.count &- 1
    let pair = pairs[index]
    var slot = Int(truncatingIfNeeded: hash(UInt32(pair.source.rawValue) << 16 | UInt32(pair.target.rawValue))) & mask
    while slots[slot] != 0 { slot = (slot &+ 1) & mask }
    slots[slot] = UInt32(truncatingIfNeeded: index)
  }
}
