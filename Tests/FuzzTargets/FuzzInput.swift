/// The bytes a target was given: data, and choices taken from the end, so that what is in front keeps its meaning while
/// it is mutated. Without bytes all choices are zero.
struct FuzzInput {
  private(set) var data: [UInt8]

  init(_ bytes: [UInt8]) { data = bytes }

  /// A choice of 256.
  mutating func byte() -> UInt8 { data.popLast() ?? 0 }

  /// Yes or no.
  mutating func flag() -> Bool { byte() & 1 == 1 }

  /// A number in a range of at most 256.
  mutating func number(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(byte()) % range.count
  }

  /// One of some.
  mutating func one<Element>(of elements: [Element]) -> Element { elements[Int(byte()) % elements.count] }

  /// The data in pieces of a size, the last one shorter.
  func pieces(of size: Int) -> [[UInt8]] {
    stride(from: 0, to: data.count, by: max(1, size)).map { Array(data[$0..<min($0 + max(1, size), data.count)]) }
  }
}
