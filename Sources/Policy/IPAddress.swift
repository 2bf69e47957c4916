/// An IP address as 16 bytes in two big-endian words. IPv4 lies in IPv6's mapped range (`::ffff:0:0/96`), so that one
/// comparison does for both and a mapped literal is the IPv4 address it stands for.
public struct IPAddress: Hashable, Sendable {
  /// The first eight bytes.
  public var high: UInt64
  /// The last eight bytes.
  public var low: UInt64

  /// Makes an address of its words.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Whether it is an IPv4 address.
  public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

  /// Reads a literal: dotted quad, or IPv6 (RFC 4291 2.2) with or without brackets and zone. Nil for anything else.
  public init?(_ text: some Collection<UInt8>) {
    guard (2...64).contains(text.count) else { return nil }
    var literal = Array(text)
    if literal.first == UInt8(ascii: "["), literal.last == UInt8(ascii: "]") {
      literal = Array(literal[1...].dropLast())
    }
    if let zone = literal.firstIndex(of: UInt8(ascii: "%")) { literal.removeSubrange(zone...) }
    if let quad = Self.dottedQuad(literal[...]) {
      self.init(high: 0, low: 0xffff << 32 | UInt64(quad))
    } else if literal.contains(UInt8(ascii: ":")), let words = Self.groups(literal) {
      self.init(high: words.high, low: words.low)
    } else {
      return nil
    }
  }

  private static func dottedQuad(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var address: UInt32 = 0
    for part in parts {
      guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
      var number: UInt32 = 0
      for byte in part {
        guard (0x30...0x39).contains(byte) else { return nil }
        number = number &* 10 &+ UInt32(byte &- 0x30)
      }
      guard number <= 255 else { return nil }
      address = address << 8 | number
    }
    return address
  }

  /// The eight groups of an IPv6 literal.
  private static func groups(_ text: [UInt8]) -> (high: UInt64, low: UInt64)? {
    let colon = UInt8(ascii: ":")
    var halves: [ArraySlice<UInt8>] = [text[...]]
    if let gap = text.indices.dropLast().first(where: { text[$0] == colon && text[$0 + 1] == colon }) {
      halves = [text[..<gap], text[(gap + 2)...]]
    }
    var sides: [[UInt16]] = []
    for (position, half) in halves.enumerated() {
      guard let side = side(half, mayEndInQuad: position == halves.count - 1) else { return nil }
      sides.append(side)
    }
    let given = sides.reduce(0) { $0 + $1.count }
    guard halves.count == 2 ? given <= 7 : given == 8 else { return nil }
    if sides.count == 2 { sides[0] += Array(repeating: 0, count: 8 - given) }
    let all = sides.flatMap { $0 }
    let high = all[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    let low = all[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
    return (high, low)
  }

  private static func side(_ text: ArraySlice<UInt8>, mayEndInQuad: Bool) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    var groups: [UInt16] = []
    let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    for (position, part) in parts.enumerated() {
      if mayEndInQuad, position == parts.count - 1, let quad = dottedQuad(part) {
        groups.append(UInt16(truncatingIfNeeded: quad >> 16))
        groups.append(UInt16(truncatingIfNeeded: quad))
        continue
      }
      guard (1...4).contains(part.count), let digits = String(validating: part, as: UTF8.self),
        digits.allSatisfy(\.isHexDigit), let group = UInt16(digits, radix: 16)
      else { return nil }
      groups.append(group)
      guard groups.count <= 8 else { return nil }
    }
    return groups.count <= 8 ? groups : nil
  }
}
