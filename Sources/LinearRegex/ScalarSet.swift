/// A set of Unicode scalars as rising ranges that do not touch.
struct ScalarSet: Hashable, Sendable {
  private(set) var ranges: [ClosedRange<UInt32>] = []

  static let last: UInt32 = 0x10_ffff
  static let all = ScalarSet([0...last])
  static let newline = ScalarSet(["\n"])
  static let digits = ScalarSet([0x30...0x39])
  static let word = ScalarSet([0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
  /// As RE2's `\s`: without the vertical tab.
  static let space = ScalarSet([0x09...0x0a, 0x0c...0x0d, 0x20...0x20])

  init(_ ranges: [ClosedRange<UInt32>]) {
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = self.ranges.last, range.lowerBound <= last.upperBound || range.lowerBound - 1 == last.upperBound {
        self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  init(_ scalars: [Unicode.Scalar]) { self.init(scalars.map { $0.value...$0.value }) }

  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  var inverted: ScalarSet {
    var next: UInt32 = 0
    var left: [ClosedRange<UInt32>] = []
    for range in ranges {
      if range.lowerBound > next { left.append(next...(range.lowerBound - 1)) }
      next = range.upperBound + 1
    }
    if next <= Self.last { left.append(next...Self.last) }
    return ScalarSet(left)
  }

  func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }

  // MARK: Letters' case

  /// No scalar past it has another case.
  private static let lastCased: UInt32 = 0x1_e943

  /// Every scalar past ASCII that has another case, with its other cases, by Unicode's simple mappings.
  private static let cased: [(scalar: UInt32, others: [UInt32])] = (0x80...lastCased).compactMap { value in
    guard let properties = Unicode.Scalar(value)?.properties, properties.isCased || properties.changesWhenUppercased
    else { return nil }
    let lower = single(properties.lowercaseMapping)
    let upper = single(properties.uppercaseMapping)
    let others = [lower, upper, lower.flatMap { single($0.properties.uppercaseMapping) }].compactMap { $0?.value }
    return others.allSatisfy { $0 == value } ? nil : (value, others)
  }

  private static func single(_ text: String) -> Unicode.Scalar? {
    text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
  }

  /// With every letter's other case.
  var ignoringCase: ScalarSet {
    var more: [UInt32] = []
    for letter: UInt32 in 0x41...0x5a {
      if contains(letter) { more.append(letter | 0x20) }
      if contains(letter | 0x20) { more.append(letter) }
    }
    if let last = ranges.last, last.upperBound > 0x7f {
      for (scalar, others) in Self.cased where contains(scalar) { more += others }
    }
    // Two letters of ASCII have a third form elsewhere: the Kelvin sign and the long s.
    if contains(0x4b) || contains(0x6b) { more.append(0x212a) }
    if contains(0x53) || contains(0x73) { more.append(0x17f) }
    return ScalarSet(ranges + more.map { $0...$0 })
  }
}
