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
    if sequence < through { return true }
    let index = firstRange(endingAbove: sequence)
    return index < ranges.count && ranges[index].contains(sequence)
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
    let index = firstRange(endingAbove: sequence)
    let joinsLeft = index > 0 && ranges[index - 1].upperBound == sequence
    let joinsRight = index < ranges.count && ranges[index].lowerBound == sequence + 1
    switch (joinsLeft, joinsRight) {
    case (true, true):
      ranges[index - 1] = ranges[index - 1].lowerBound..<ranges[index].upperBound
      ranges.remove(at: index)
    case (true, false): ranges[index - 1] = ranges[index - 1].lowerBound..<(sequence + 1)
    case (false, true): ranges[index] = sequence..<ranges[index].upperBound
    case (false, false): ranges.insert(sequence..<(sequence + 1), at: index)
    }
  }

  /// The index of the first range that ends above a sequence number.
  private func firstRange(endingAbove sequence: UInt64) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
