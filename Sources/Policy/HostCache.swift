internal import TraceWire

/// One loop's memory of which region a host belongs to: hosts repeat, and globs are slow. When it is full it is
/// emptied, so that a peer that invents hosts costs time and no memory.
struct HostCache: Sendable {
  static let hostsMax = 4096

  private let rules: RegionRules
  /// The numbers of the rules' regions.
  private let ids: [RegionID]
  private var known: ByteTable<RegionID?>
  /// How often it was full.
  private(set) var flushes = 0

  init(rules: RegionRules, ids: [RegionID], hash: KeyedHash) {
    precondition(ids.count == rules.regions.count, "every rule has its region's number")
    self.rules = rules
    self.ids = ids
    known = ByteTable(hash: hash)
  }

  /// The region of a host name or IP literal, nil where no rule knows it.
  mutating func region(_ host: ByteRange, of bytes: RawSpan) -> RegionID? {
    guard !ids.isEmpty, !host.isEmpty, host.count <= RegionRules.hostBytesMax else { return nil }
    if let region = known.value(host, of: bytes) { return region }
    let region = rules.match(bytes.array(host)).map { ids[$0] }
    if known.count >= Self.hostsMax {
      known.removeAll()
      flushes &+= 1
    }
    known.insert(host, of: bytes, value: region)
    return region
  }
}
