/// The labels all shards of a process share, so that the caps hold for the process: regions, services, region pairs,
/// edges of the service graph. Only a shard that meets a name for the first time takes its lock.
public final class FlowNames: Sendable {
  let regions: InternTable<LabelName>
  let services: InternTable<LabelName>
  let pairs: InternTable<RegionPair>
  let edges: InternTable<ServiceEdge>

  /// Empty tables with the process's caps.
  public init(limits: FlowLimits) {
    regions = InternTable(capacity: limits.maxRegions)
    services = InternTable(capacity: limits.maxServices)
    pairs = InternTable(capacity: limits.maxPairs)
    edges = InternTable(capacity: limits.maxEdges)
  }

  /// The label of everything past a cap.
  public static let overflow = "__overflow__"
}

/// The bytes of a region's or a service's name.
struct LabelName: Interned, Codable {
  /// Longer names are past the cap: a label is repeated in every series.
  static let bytesMax = 256

  let bytes: [UInt8]

  /// Repairs what is not UTF-8, so that no two names have the same text.
  init(_ bytes: ArraySlice<UInt8>) { self.bytes = Array(String(decoding: bytes, as: UTF8.self).utf8) }

  func slot(in hash: KeyedHash) -> UInt32 { UInt32(truncatingIfNeeded: hash.hash(bytes, bytes.indices)) }

  var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// An ordered pair of regions.
struct RegionPair: Interned, Codable {
  var source: UInt16
  var target: UInt16

  func slot(in hash: KeyedHash) -> UInt32 {
    UInt32(truncatingIfNeeded: hash.mix(UInt64(source), UInt64(target)))
  }
}

/// A client and a server service, each in its region.
struct ServiceEdge: Interned, Codable {
  var client: UInt32
  var server: UInt32
  var regions: RegionPair

  func slot(in hash: KeyedHash) -> UInt32 {
    let services = UInt64(client) << 32 | UInt64(server)
    return UInt32(truncatingIfNeeded: hash.mix(services, UInt64(regions.source) << 16 | UInt64(regions.target)))
  }
}
