/// A hash against damage, not against people: every step is a bijection of the state for a given word and of the word for
/// a given state, so a change within one word never goes unseen, and any other change with a chance of 2^-64.
struct RecordChecksum {
  private var state: UInt64
  private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

  init(seed: UInt64 = 0) { state = seed ^ 0xd6e8_feb8_6659_fd93 }

  @inline(__always)
  mutating func add(_ word: UInt64) {
    let mixed = (state ^ word) &* Self.factor
    state = mixed << 29 | mixed >> 35
  }

  mutating func add(_ bytes: RawSpan) {
    add(UInt64(bytes.byteCount))
    var offset = 0
    let wordsEnd = bytes.byteCount & ~7
    while offset < wordsEnd {
      // SAFETY: the bounds-checked form, of a type for which all bits are valid.
      add(unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset &+= 8
    }
    var tail: UInt64 = 0
    while offset < bytes.byteCount {
      tail = tail << 8 | UInt64(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self))
      offset &+= 1
    }
    add(tail)
  }

  /// The hash as SQLite stores integers.
  var value: Int64 {
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int64(bitPattern: word ^ (word >> 31))
  }

  /// Of a payload alone.
  static func payload(_ payload: RawSpan) -> Int64 {
    var sum = RecordChecksum(seed: 1)
    sum.add(payload)
    return sum.value
  }

  /// Of everything else: where the record lies, its kind and header, and which payload belongs to it.
  static func head(address: Int64, kind: Int64, header: RawSpan, payloadBytes: Int64, payloadSum: Int64) -> Int64 {
    var sum = RecordChecksum(seed: 2)
    for word in [address, kind, payloadBytes, payloadSum] { sum.add(UInt64(bitPattern: word)) }
    sum.add(header)
    return sum.value
  }

  /// Of a note.
  static func note(name: String, value: RawSpan, version: Int64) -> Int64 {
    var sum = RecordChecksum(seed: 3)
    let name = Array(name.utf8)
    sum.add(UInt64(bitPattern: version))
    sum.add(name.span.bytes)
    sum.add(value)
    return sum.value
  }

  /// Of the ledger.
  static func ledger(identity: RawSpan, epoch: Int64, next: Int64) -> Int64 {
    var sum = RecordChecksum(seed: 4)
    sum.add(identity)
    sum.add(UInt64(bitPattern: epoch))
    sum.add(UInt64(bitPattern: next))
    return sum.value
  }
}
