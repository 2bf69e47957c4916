/// Ranges of sequence numbers, rising and apart from each other.
extension [Range<UInt64>] {
  /// The index of the first range that ends above a sequence number.
  func firstIndex(endingAbove sequence: UInt64) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].upperBound <= sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether a sequence number is in one of them.
  func hold(_ sequence: UInt64) -> Bool {
    let index = firstIndex(endingAbove: sequence)
    return index < count && self[index].contains(sequence)
  }

  /// Adds a sequence number below the largest one, joining what touches. Whether it was not in.
  @discardableResult mutating func insert(_ sequence: UInt64) -> Bool {
    let index = firstIndex(endingAbove: sequence)
    if index < count, self[index].contains(sequence) { return false }
    let joinsLeft = index > 0 && self[index - 1].upperBound == sequence
    let joinsRight = index < count && self[index].lowerBound == sequence + 1
    switch (joinsLeft, joinsRight) {
    case (true, true):
      self[index - 1] = self[index - 1].lowerBound..<self[index].upperBound
      remove(at: index)
    case (true, false): self[index - 1] = self[index - 1].lowerBound..<(sequence + 1)
    case (false, true): self[index] = sequence..<self[index].upperBound
    case (false, false): insert(sequence..<(sequence + 1), at: index)
    }
    return true
  }
}
