/// What the walk found out about one `ResourceSpans`.
@frozen public struct ResourceFacts: Sendable {
  /// The whole field in the request, tag and length included.
  public var record = ByteRange()
  /// The `ResourceSpans` message.
  public var body = ByteRange()
  /// The `Resource` message (the last one where a peer sent several); empty where there is none.
  public var resource = ByteRange()
  /// The field that message is in, tag and length included; empty where there is none.
  public var resourceRecord = ByteRange()
  /// Value of `service.name`.
  public var service = ByteRange()
  /// Value of the first in rank of `region`, `cloud.region`, `deployment.region`, `topology.kubernetes.io/region`.
  public var region = ByteRange()
  /// Indices of its scopes and spans in `RequestFacts`.
  public var scopes: Range<UInt32> = 0..<0
  public var spans: Range<UInt32> = 0..<0
  /// Indices in `RequestFacts.resourceGaps`: its fields other than `scope_spans`.
  public var gaps: Range<UInt32> = 0..<0

  @inlinable public init() {}
}

/// What the walk found out about one `ScopeSpans`.
@frozen public struct ScopeFacts: Sendable {
  /// The whole field in its `ResourceSpans`, tag and length included.
  public var record = ByteRange()
  /// The `ScopeSpans` message.
  public var body = ByteRange()
  /// The `InstrumentationScope` message (the last one where a peer sent several); empty where there is none.
  public var scope = ByteRange()
  /// The field that message is in, tag and length included; empty where there is none.
  public var scopeRecord = ByteRange()
  public var resource: UInt32 = 0
  /// Indices of its spans in `RequestFacts`.
  public var spans: Range<UInt32> = 0..<0
  /// Indices in `RequestFacts.scopeGaps`: its fields other than `spans`.
  public var gaps: Range<UInt32> = 0..<0

  @inlinable public init() {}
}

/// What the one walk over an `ExportTraceServiceRequest` found out, in the order of the bytes. Reused from request to
/// request, so that nothing is allocated once the arrays have grown.
public struct RequestFacts: Sendable {
  public var resources: [ResourceFacts] = []
  public var scopes: [ScopeFacts] = []
  public var spans: [SpanFacts] = []
  /// What lies between the scopes of a `ResourceSpans` and goes wherever one of them goes: resource, schema URL,
  /// unknown fields. Neighbouring fields are one gap, so that cutting out one trace costs what it copies.
  public var resourceGaps: [ByteRange] = []
  /// What lies between the spans of a `ScopeSpans`, likewise.
  public var scopeGaps: [ByteRange] = []
  /// Whether the request is so large that work on it is to be done as `LongWork`.
  public var isLong = false
  /// Whether some `ResourceSpans` has several resources, or some `ScopeSpans` several scopes (`RequestJoiner`).
  public var isInPieces = false

  public init() {}

  /// Bytes of its arrays.
  public var byteCount: Int {
    resources.capacity &* MemoryLayout<ResourceFacts>.stride &+ scopes.capacity &* MemoryLayout<ScopeFacts>.stride
      &+ spans.capacity &* MemoryLayout<SpanFacts>.stride
      &+ (resourceGaps.capacity &+ scopeGaps.capacity) &* MemoryLayout<ByteRange>.stride
  }

  /// Parts of a request whose room is kept for the next one.
  private static let keptMax = 1 << 14

  /// Makes room for so many parts.
  mutating func reserve(_ census: RequestCensus) {
    resources.reserveCapacity(census.resources)
    scopes.reserveCapacity(census.scopes)
    spans.reserveCapacity(census.spans)
  }

  /// Forgets the request and gives back what an unusually large one has taken.
  public mutating func giveBackRoom() {
    if max(resources.capacity, scopes.capacity, spans.capacity) > Self.keptMax
      || max(resourceGaps.capacity, scopeGaps.capacity) > 8 &* Self.keptMax
    {
      giveBack()
    }
  }

  /// Forgets the request and gives all room back.
  public mutating func giveBack() {
    spans.giveBack()
    resourceGaps.giveBack()
    scopeGaps.giveBack()
    self = RequestFacts()
  }

  /// Forgets the last request and keeps the room.
  public mutating func removeAll() {
    isInPieces = false
    resources.removeAll(keepingCapacity: true)
    scopes.removeAll(keepingCapacity: true)
    spans.removeAll(keepingCapacity: true)
    resourceGaps.removeAll(keepingCapacity: true)
    scopeGaps.removeAll(keepingCapacity: true)
  }
}

extension RequestFacts {
  /// Combines every span's trace ID with a mask, so that equal IDs of two owners are different ones for all that works on
  /// facts. What was read before stays as it was: the bytes, the randomness, whether the ID is valid. To be called once
  /// after the walk; a mask of zero changes nothing.
  public mutating func setApart(by mask: TraceID) {
    guard mask.isValid else { return }
    let isLong = isLong
    var facts = spans.mutableSpan
    for index in facts.indices {
      if isLong { LongWork.step(index) }
      facts[index].traceID.high ^= mask.high
      facts[index].traceID.low ^= mask.low
    }
  }
}
