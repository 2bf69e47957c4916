internal import TraceWire

/// One loop's memory of the directory: bytes of a name to its number, without a lock once a name has been seen.
struct RegionInterner: Sendable {
  private let directory: RegionDirectory
  private var known: ByteTable<RegionID>
  /// The directory is full and this table has all of it: what is not here is past the cap.
  private var isSealed = false
  /// How often a name was past the cap, counted here once sealed.
  private(set) var overflows = 0

  init(directory: RegionDirectory, hash: KeyedHash) {
    self.directory = directory
    known = ByteTable(hash: hash)
  }

  /// The number of a name of the configuration.
  mutating func register(_ name: String) -> RegionID {
    let id = directory.register(name)
    let key = Array(name.utf8)
    if known.value(key) == nil { known.insert(ByteRange(0, key.count), of: key.span.bytes, value: id) }
    return id
  }

  /// The number of a name in a peer's bytes, or `overflow`.
  mutating func intern(_ range: ByteRange, of bytes: RawSpan) -> RegionID {
    if let id = known.value(range, of: bytes) { return id }
    guard !isSealed, range.count <= RegionDirectory.nameBytesMax else {
      overflows &+= 1
      return .overflow
    }
    let id = directory.intern(range, of: bytes)
    if id != .overflow {
      known.insert(range, of: bytes, value: id)
    } else {
      seal()
    }
    return id
  }

  private mutating func seal() {
    for (number, key) in directory.keys.enumerated().dropFirst() where known.value(key) == nil {
      known.insert(
        ByteRange(0, key.count), of: key.span.bytes, value: RegionID(UInt16(truncatingIfNeeded: number)))
    }
    isSealed = true
  }
}
