/// A host name, or a shell glob of one: `*` stands for any characters, dots included, `?` for one. Letters' case and a
/// dot at the end do not matter.
struct HostPattern: Sendable {
  private let pattern: [UInt8]
  /// Whether it is a name rather than a glob.
  let isExact: Bool

  init(_ text: String) {
    pattern = Self.normalized(Array(text.utf8))
    isExact = !pattern.contains(UInt8(ascii: "*")) && !pattern.contains(UInt8(ascii: "?"))
  }

  /// A host as patterns compare it.
  static func normalized(_ host: [UInt8]) -> [UInt8] {
    var lowered = host.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    if lowered.count > 1, lowered.last == UInt8(ascii: ".") { lowered.removeLast() }
    return lowered
  }

  /// Whether a normalized host fits. At most pattern times host steps.
  func matches(_ host: [UInt8]) -> Bool {
    if isExact { return host == pattern }
    var position = 0
    var offset = 0
    var star: (position: Int, offset: Int)?
    while offset < host.count {
      if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
        star = (position, offset)
        position += 1
      } else if position < pattern.count,
        pattern[position] == host[offset] || pattern[position] == UInt8(ascii: "?")
      {
        position += 1
        offset += 1
      } else if let last = star {
        star = (last.position, last.offset + 1)
        position = last.position + 1
        offset = last.offset + 1
      } else {
        return false
      }
    }
    return pattern[position...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
