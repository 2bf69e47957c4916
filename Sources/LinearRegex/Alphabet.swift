/// The scalars divided into classes that no part of a pattern tells apart, so that automata have small tables.
struct Alphabet: Sendable {
  /// What assertions ask of a character.
  enum Kind: Int32, Sendable {
    /// There is none: the text's beginning or end.
    case none = 0
    case word = 1
    case newline = 2
    case other = 3
  }

  /// The class of each scalar of ASCII.
  private let ascii: [UInt16]
  /// The first scalar of each class's stretches, rising, and their classes.
  private let starts: [UInt32]
  private let kinds: [Kind]

  /// How many classes there are; the one with this number stands for the text's end.
  var count: Int { starts.count }

  /// An alphabet that tells these sets apart, and what assertions ask for.
  init(_ sets: [ScalarSet]) {
    var starts: Set<UInt32> = [0]
    for range in (sets + [.word, .newline]).flatMap(\.ranges) {
      starts.insert(range.lowerBound)
      if range.upperBound < ScalarSet.last { starts.insert(range.upperBound + 1) }
    }
    let sorted = starts.sorted()
    self.starts = sorted
    ascii = (0..<128).map { Self.search(sorted, $0) }
    kinds = sorted.map { ScalarSet.word.contains($0) ? .word : $0 == 0x0a ? .newline : .other } + [.none]
  }

  private static func search(_ starts: [UInt32], _ scalar: UInt32) -> UInt16 {
    var lower = 0
    var upper = starts.count
    while upper &- lower > 1 {
      let middle = (lower &+ upper) / 2
      if starts[middle] <= scalar { lower = middle } else { upper = middle }
    }
    return UInt16(truncatingIfNeeded: lower)
  }

  /// A bit for each class, set where the class is in the set.
  func row(_ set: ScalarSet) -> [UInt64] {
    var row = Array(repeating: UInt64(0), count: (count + 63) / 64)
    for (index, start) in starts.enumerated() where set.contains(start) { row[index / 64] |= 1 << UInt64(index % 64) }
    return row
  }

  @inline(__always) func kind(_ symbol: Int) -> Kind { kinds[symbol] }

  /// The class of the character at an offset, and the offset behind it. A byte that is no part of a character counts as
  /// U+FFFD.
  @inline(__always)
  func symbol(_ bytes: RawSpan, at offset: Int, end: Int) -> (symbol: Int, next: Int) {
    let first = bytes.byte(offset)
    if first < 0x80 { return (Int(ascii[Int(first)]), offset &+ 1) }
    let (scalar, length) = Self.decode(bytes, first, at: offset, end: end)
    return (Int(Self.search(starts, scalar)), offset &+ length)
  }

  /// The character at an offset that does not begin with a byte of ASCII.
  @inline(never)
  private static func decode(_ bytes: RawSpan, _ first: UInt8, at offset: Int, end: Int) -> (UInt32, length: Int) {
    let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
    guard (0xc2...0xf4).contains(first), end &- offset >= length else { return (0xfffd, 1) }
    var value = UInt32(first) & (0x7f >> UInt32(length))
    for index in 1..<length {
      let next = bytes.byte(offset &+ index)
      guard next & 0xc0 == 0x80 else { return (0xfffd, 1) }
      value = value << 6 | UInt32(next & 0x3f)
    }
    let least: UInt32 = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80
    guard value >= least, Unicode.Scalar(value) != nil else { return (0xfffd, 1) }
    return (value, length)
  }

  /// The class of the character that ends at an offset.
  func symbol(_ bytes: RawSpan, before offset: Int, from lower: Int) -> Int {
    guard offset > lower else { return count }
    var start = offset - 1
    while start > max(lower, offset - 4), bytes.byte(start) & 0xc0 == 0x80 { start -= 1 }
    let found = symbol(bytes, at: start, end: offset)
    return found.next == offset ? found.symbol : symbol(bytes, at: offset - 1, end: offset).symbol
  }
}

extension RawSpan {
  // SAFETY: the load is checked against the span's bounds, and every byte is a valid one.
  @inline(__always)
  func byte(_ offset: Int) -> UInt8 { unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self) }
}
