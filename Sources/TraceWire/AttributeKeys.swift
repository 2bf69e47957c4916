/// The attribute keys a walk looks for: the well-known ones behind the facts, and those that are baggage by
/// configuration. Made once for a configuration; a look-up neither allocates nor hashes, and most keys are turned
/// away by their length or their first eight bytes.
public struct AttributeKeys: Sendable {
  /// In what way an attribute is baggage.
  public enum BaggageRole: Hashable, Sendable {
    case none
    /// The key has the prefix, which is so many bytes long; the entry's name is the rest of the key.
    case prefixed(Int)
    /// The key is one of those listed.
    case listed
    /// The value is a whole W3C baggage header.
    case header
  }

  /// So much baggage of one span need not be looked at again.
  public struct Harmless: Hashable, Sendable {
    /// Entries of one span at most.
    public var count: Int
    /// Bytes of an entry's key and string value at most.
    public var length: Int

    /// By default none is harmless.
    public init(count: Int = 0, length: Int = 0) {
      self.count = count
      self.length = length
    }
  }

  let harmless: Harmless
  /// For keys of `n` bytes (63: or more) a bit for each that is looked for, chosen by its first and last bytes.
  private let filters: [UInt64]
  /// Sorted by length.
  private let entries: [KeyEntry]
  /// Entries of length `n` (63: or longer) are `starts[n]..<starts[n + 1]`.
  private let starts: [Int]
  private let prefix: [UInt8]
  private let prefixHead: UInt64
  private let prefixMask: UInt64

  /// Makes the keys of a baggage configuration; without one, only the well-known keys are found.
  /// An empty prefix is none.
  public init(
    prefix: String? = nil, keys: [String] = [], headerAttributes: [String] = [], harmless: Harmless = Harmless()
  ) {
    self.harmless = harmless
    var found: [[UInt8]: KeyMatch] = [:]
    for known in WellKnownKey.all { found[Array(known.key.utf8), default: KeyMatch()].fact = known.fact }
    for known in WellKnownKey.all { found[Array(known.key.utf8), default: KeyMatch()].rank = known.rank }
    for key in keys { found[Array(key.utf8), default: KeyMatch()].isListed = true }
    for key in headerAttributes { found[Array(key.utf8), default: KeyMatch()].isHeader = true }
    let sorted = found.map { KeyEntry($0.key, $0.value) }.sorted { $0.count < $1.count }
    entries = sorted
    filters = sorted.reduce(into: [UInt64](repeating: 0, count: 64)) { $0[min($1.count, 63)] |= $1.words.bit }
    starts = (0...64).map { length in sorted.firstIndex { min($0.count, 63) >= length } ?? sorted.count }
    self.prefix = Array((prefix ?? "").utf8)
    let head = self.prefix.prefix(8).enumerated()
    prefixHead = head.reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
    prefixMask = head.reduce(0) { $0 | 0xff << UInt64(8 * $1.offset) }
  }

  /// In what way the key in a range of the bytes makes its attribute baggage.
  public func baggageRole(of key: ByteRange, in bytes: RawSpan) -> BaggageRole {
    let match = match(key, in: bytes)
    if match.isHeader { return .header }
    if hasPrefix(key, in: bytes) { return .prefixed(prefix.count) }
    return match.isListed ? .listed : .none
  }

  /// Whether the key has the baggage prefix.
  @inline(__always)
  func hasPrefix(_ key: ByteRange, in bytes: RawSpan) -> Bool {
    guard prefixMask != 0, key.count >= prefix.count else { return false }
    if key.count >= 8, bytes.littleEndian64(at: Int(key.lower)) & prefixMask != prefixHead { return false }
    return hasWholePrefix(key, in: bytes)
  }

  private func hasWholePrefix(_ key: ByteRange, in bytes: RawSpan) -> Bool {
    for index in prefix.indices where bytes.byte(at: Int(key.lower) &+ index) != prefix[index] { return false }
    return true
  }

  /// What an attribute with this key tells.
  @inline(__always)
  func match(_ key: ByteRange, in bytes: RawSpan) -> KeyMatch {
    let filter = filters[min(key.count, 63)]
    guard filter != 0 else { return KeyMatch() }
    let words = KeyWords(bytes, key)
    guard filter & words.bit != 0 else { return KeyMatch() }
    return search(key, words, in: bytes)
  }

  @inline(never)
  private func search(_ key: ByteRange, _ words: KeyWords, in bytes: RawSpan) -> KeyMatch {
    let length = min(key.count, 63)
    var index = starts[length]
    let end = starts[length &+ 1]
    while index < end {
      if entries[index].matches(key, words, in: bytes) { return entries[index].match }
      index &+= 1
    }
    return KeyMatch()
  }
}

/// What an attribute with a certain key tells.
struct KeyMatch: Sendable {
  /// Which of the facts the value fills.
  enum Fact: UInt8, Sendable {
    case none, service, region, calleeRegion, callerRegion, calleeHost, calleeURL, callerHost, peerAddress
    case error, httpStatus
  }

  var fact = Fact.none
  /// Of several keys for one fact the lowest rank wins.
  var rank: UInt8 = 0
  var isListed = false
  var isHeader = false

  @inline(__always) var isBaggage: Bool { isListed || isHeader }
}

/// The first and last bytes of a key as words; up to sixteen bytes they are the whole key.
struct KeyWords: Sendable {
  let head: UInt64
  let tail: UInt64

  /// One of 64 bits that they choose. Peers choose the key; to be found takes time, to be missed is not possible.
  @inline(__always) var bit: UInt64 { 1 &<< ((head ^ tail &* 3) &* 0x9e37_79b9_7f4a_7c15 &>> 58) }

  @inline(__always)
  init(_ bytes: RawSpan, _ key: ByteRange) {
    let lower = Int(key.lower)
    let upper = Int(key.upper)
    if key.count >= 8 {
      head = bytes.littleEndian64(at: lower)
      tail = bytes.littleEndian64(at: upper &- 8)
    } else {
      var word: UInt64 = 0
      var offset = lower
      while offset < upper {
        word = word &<< 8 | UInt64(bytes.byte(at: offset))
        offset &+= 1
      }
      head = word
      tail = 0
    }
  }
}

/// A key that is looked for.
struct KeyEntry: Sendable {
  let count: Int
  let words: KeyWords
  let key: [UInt8]
  let match: KeyMatch

  init(_ key: [UInt8], _ match: KeyMatch) {
    count = key.count
    words = KeyWords(key.span.bytes, ByteRange(0, key.count))
    self.key = key
    self.match = match
  }

  @inline(__always)
  func matches(_ other: ByteRange, _ otherWords: KeyWords, in bytes: RawSpan) -> Bool {
    guard otherWords.head == words.head, otherWords.tail == words.tail, other.count == count else { return false }
    return count <= 16 || matchesMiddle(other, in: bytes)
  }

  private func matchesMiddle(_ other: ByteRange, in bytes: RawSpan) -> Bool {
    var index = 8
    while index < count &- 8 {
      if bytes.byte(at: Int(other.lower) &+ index) != key[index] { return false }
      index &+= 1
    }
    return true
  }
}
