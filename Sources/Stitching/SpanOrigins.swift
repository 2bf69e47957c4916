/// What many spans have in common: where they come from, and for how many each stands.
struct SpanOrigin: Equatable, Sendable {
  var service: UInt32 = 0
  var regionFingerprint: UInt32 = 0
  var weight = 1.0
  var region: UInt16 = 0

  @inline(__always) init(_ link: LinkEnd) {
    service = link.service
    regionFingerprint = link.regionFingerprint
    weight = link.weight
    region = link.region
  }
}

/// Numbers for origins. Peers choose them, so there may be as many as spans: each is counted and forgotten with its
/// last span.
struct SpanOrigins: Sendable {
  /// The largest number: 27 bits are for it in a `PackedSpan`.
  static let numberMax: UInt32 = 1 << 27 &- 1

  private struct Entry: Sendable {
    var origin: SpanOrigin
    var spans: UInt32
  }

  private let hash: KeyedHash
  private var index = SlotIndex()
  private var entries = ChunkedArray<Entry>()
  private var free = ChunkedArray<UInt32>()

  init(hash: KeyedHash) { self.hash = hash }

  var count: Int { entries.count &- free.count }
  var byteCount: Int { entries.byteCount &+ index.byteCount &+ free.byteCount }

  @inline(__always) subscript(_ number: UInt32) -> SpanOrigin { entries[Int(number)].origin }

  /// The number of a span's origin, with one more span; `nil` where there is no number left.
  @inline(__always) mutating func retain(_ origin: SpanOrigin) -> UInt32? {
    let slot = slot(origin)
    if let number = index.find(slot, { entries[Int($0)].origin == origin }) {
      entries[Int(number)].spans &+= 1
      return number
    }
    return add(origin, slot)
  }

  /// Takes a span off its origin.
  @inline(__always) mutating func release(_ number: UInt32) {
    entries[Int(number)].spans &-= 1
    if entries[Int(number)].spans == 0 { remove(number) }
  }

  private func slot(_ origin: SpanOrigin) -> UInt32 {
    let label = UInt64(origin.regionFingerprint) << 32 | UInt64(origin.service) << 16 ^ UInt64(origin.region)
    return UInt32(truncatingIfNeeded: hash.mix(label, origin.weight.bitPattern))
  }

  @inline(never) private mutating func add(_ origin: SpanOrigin, _ slot: UInt32) -> UInt32? {
    let entry = Entry(origin: origin, spans: 1)
    let number: UInt32
    if let spare = free.popLast() {
      number = spare
      entries[Int(number)] = entry
    } else {
      guard entries.count <= Int(Self.numberMax) else { return nil }
      number = UInt32(truncatingIfNeeded: entries.count)
      entries.append(entry)
    }
    index.insert(slot, number)
    return number
  }

  @inline(never) private mutating func remove(_ number: UInt32) {
    index.remove(slot(entries[Int(number)].origin), number)
    free.append(number)
  }
}
