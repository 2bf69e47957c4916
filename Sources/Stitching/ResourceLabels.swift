internal import TraceWire

/// Region and service of a resource, as numbers.
struct ResourceLabel: Sendable {
  var region: UInt16 = 0
  var regionFingerprint: UInt32 = 0
  var service: UInt32 = 0
}

/// Turns the names of a request's resources into numbers, when a span needs it and for most resources once.
struct ResourceLabels: Sendable {
  private static let unknownRegion = Array("unknown".utf8)
  private static let unknownService = Array("unknown_service".utf8)

  private(set) var regions: InternCache<LabelName>
  private(set) var services: InternCache<LabelName>
  private let hash: KeyedHash
  /// The labels last found, each in the place of its resource's last bits. A shard takes in a large request in many
  /// portions, and one may have a resource for each span: so there are not as many places as resources.
  private var labels: [Known] = []
  private var mask: UInt32 = 0

  private static let placesMax = 1 << 10

  private struct Known {
    /// Of no request.
    var resource = UInt32.max
    var label = ResourceLabel()
  }

  init(names: FlowNames, hash: KeyedHash) {
    self.hash = hash
    regions = InternCache(names.regions, hash: hash)
    services = InternCache(names.services, hash: hash)
  }

  /// Begins another request.
  mutating func begin(_ request: ReceivedRequest) {
    var places = 1
    while places < min(request.facts.resources.count, Self.placesMax) { places &*= 2 }
    mask = UInt32(truncatingIfNeeded: places &- 1)
    labels.removeAll(keepingCapacity: true)
    labels.append(contentsOf: repeatElement(Known(), count: places))
  }

  /// The labels of a resource of the request.
  @inline(__always) mutating func label(of resource: UInt32, in request: ReceivedRequest) -> ResourceLabel {
    let place = Int(resource & mask)
    if labels[place].resource == resource { return labels[place].label }
    let label = look(request.facts.resources[Int(resource)], request)
    labels[place] = Known(resource: resource, label: label)
    return label
  }

  private mutating func look(_ resource: ResourceFacts, _ request: ReceivedRequest) -> ResourceLabel {
    var label = ResourceLabel()
    let (region, fingerprint) =
      if !resource.region.isEmpty {
        Self.number(request.bytes, resource.region.indices, &regions, hash)
      } else if !request.peerRegionName.isEmpty {
        Self.number(request.peerRegionName, request.peerRegionName.indices, &regions, hash)
      } else {
        Self.number(Self.unknownRegion, Self.unknownRegion.indices, &regions, hash)
      }
    label.region = UInt16(truncatingIfNeeded: region)
    label.regionFingerprint = fingerprint
    label.service =
      if resource.service.isEmpty {
        Self.number(Self.unknownService, Self.unknownService.indices, &services, hash).0
      } else {
        Self.number(request.bytes, resource.service.indices, &services, hash).0
      }
    return label
  }

  /// The number of a name and its fingerprint, which tells two names past the cap apart.
  private static func number(
    _ bytes: [UInt8], _ range: Range<Int>, _ cache: inout InternCache<LabelName>, _ hash: KeyedHash
  ) -> (UInt32, UInt32) {
    let full = hash.hash(bytes, range)
    let fingerprint = UInt32(truncatingIfNeeded: full >> 32)
    guard range.count <= LabelName.bytesMax, !bytes[range].elementsEqual(FlowNames.overflow.utf8) else {
      return (cache.overflow(), fingerprint)
    }
    let number = cache.number(
      slot: UInt32(truncatingIfNeeded: full),
      matches: { name in
        guard name.bytes.count == range.count else { return false }
        for (offset, byte) in name.bytes.enumerated() where bytes[range.lowerBound &+ offset] != byte { return false }
        return true
      },
      make: { LabelName(bytes[range]) })
    return (number, fingerprint)
  }
}
