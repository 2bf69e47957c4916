/// The batches a receiver already has, as far back as its caps reach: ranges of sequence numbers of each origin.
///
/// What is past a cap is forgotten, the lowest numbers and the origins that were silent for longest first. A forgotten
/// batch that comes again is taken for a new one: better twice than lost.
public struct BatchWindow: Sendable, Codable, Equatable {
  /// One origin's batches.
  private struct Known: Sendable, Codable, Equatable {
    /// Rising and apart from each other.
    var ranges: [Range<UInt64>] = []
    /// When it was last heard of, in batches of all origins.
    var lastHeard: UInt64 = 0
  }

  /// Origins that are remembered.
  public let originsMax: Int
  /// Ranges that are remembered of an origin.
  public let rangesMax: Int
  private var origins: [BatchIdentity.Origin: Known] = [:]
  private var heard: UInt64 = 0
  /// Ranges and origins that were forgotten to make room.
  public private(set) var evictions: UInt64 = 0

  /// Makes an empty window.
  public init(originsMax: Int = 4096, rangesMax: Int = 1024) {
    self.originsMax = max(1, originsMax)
    self.rangesMax = max(1, rangesMax)
  }

  /// The number of origins.
  public var count: Int { origins.count }

  /// Whether a batch is known.
  public func contains(_ batch: BatchIdentity) -> Bool {
    origins[batch.origin]?.ranges.hold(batch.sequence) ?? false
  }

  /// Remembers a batch. Whether it was not known.
  @discardableResult public mutating func insert(_ batch: BatchIdentity) -> Bool {
    guard batch.sequence < .max else { return true }
    if origins[batch.origin] == nil, origins.count >= originsMax { forgetSilent() }
    heard &+= 1
    var known = origins[batch.origin] ?? Known()
    known.lastHeard = heard
    let isNew = known.ranges.insert(batch.sequence)
    if known.ranges.count > rangesMax {
      known.ranges.removeFirst()
      evictions &+= 1
    }
    origins[batch.origin] = known
    return isNew
  }

  private mutating func forgetSilent() {
    guard let silent = origins.min(by: { $0.value.lastHeard < $1.value.lastHeard }) else { return }
    origins[silent.key] = nil
    evictions &+= 1
  }
}
