internal import TraceWire

extension [UInt8] {
  /// Appends an IPv4 address of four bytes.
  mutating func append(ipv4 range: ByteRange, of bytes: RawSpan) {
    for offset in range.indices {
      if offset > Int(range.lower) { append(UInt8(ascii: ".")) }
      append(contentsOf: String(bytes.byte(at: offset)).utf8)
    }
  }

  /// Appends an IPv6 address of sixteen bytes as RFC 5952 has it: the longest run of zeros left out.
  mutating func append(ipv6 range: ByteRange, of bytes: RawSpan) {
    var groups = InlineArray<8, UInt16>(repeating: 0)
    for index in groups.indices {
      let offset = Int(range.lower) &+ 2 &* index
      groups[index] = UInt16(bytes.byte(at: offset)) << 8 | UInt16(bytes.byte(at: offset &+ 1))
    }
    let gap = Self.longestGap(groups)
    var index = 0
    while index < 8 {
      if index == gap.lowerBound, !gap.isEmpty {
        append(contentsOf: "::".utf8)
        index = gap.upperBound
        continue
      }
      if index > 0, index != gap.upperBound || gap.isEmpty { append(UInt8(ascii: ":")) }
      append(contentsOf: String(groups[index], radix: 16).utf8)
      index &+= 1
    }
  }

  /// The first of the longest runs of at least two zeros.
  private static func longestGap(_ groups: InlineArray<8, UInt16>) -> Range<Int> {
    var longest = 0..<0
    var start = 0
    for index in 0...8 where index == 8 || groups[index] != 0 {
      if index &- start > Swift.max(1, longest.count) { longest = start..<index }
      start = index &+ 1
    }
    return longest
  }
}
