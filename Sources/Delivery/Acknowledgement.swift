/// What a receiver has of one lane's epoch: everything below `through`, and some ranges above it. Cumulative, so a lost
/// acknowledgement costs nothing; with ranges, so one slow batch does not hold back the memory of those behind it.
public struct Acknowledgement: Sendable, Equatable {
  public var epoch: UInt64
  /// Every sequence number below this one is acknowledged.
  public private(set) var through: UInt64
  /// Rising, apart from each other and from `through`.
  public private(set) var ranges: [Range<UInt64>] = []

  /// Nothing but what is below `through`.
  public init(epoch: UInt64, through: UInt64 = 0) {
    self.epoch = epoch
    self.through = through
  }

  /// Whether a sequence number is acknowledged.
  public func contains(_ sequence: UInt64) -> Bool {
    sequence < through || ranges.hold(sequence)
  }

  /// Adds one sequence number.
  public mutating func insert(_ sequence: UInt64) {
    guard sequence < .max, !contains(sequence) else { return }
    guard sequence != through else {
      through += 1
      if let first = ranges.first, first.lowerBound == through {
        through = first.upperBound
        ranges.removeFirst()
      }
      return
    }
    ranges.insert(sequence)
  }
}
