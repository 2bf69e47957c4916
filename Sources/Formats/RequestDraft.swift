internal import TraceWire

/// What a format says of a resource once for many spans.
struct ResourceDraft {
  /// Another number is another resource; 0 says nothing.
  var number = 0
  /// `Resource.attributes` fields.
  var attributes: [UInt8] = []
}

/// An OTLP request that is being written: finished spans, sorted by resource and scope.
struct RequestDraft {
  /// Resources and scopes that are open at once; past that all are written out, and one that comes again is begun
  /// anew. So a request with a resource for each span takes no more room than another.
  static let groupsMax = 512

  /// A resource and scope with their spans.
  private struct Group {
    var resource: [UInt8]
    var scope: [UInt8]
    /// `ScopeSpans.spans` fields.
    var spans: [UInt8] = []
  }

  /// Where a span's parent ID lies, should the parent turn out to be half of a shared span.
  private struct Child {
    var group: Int
    var offset: Int
    var parent: SharedSpan
  }

  /// What tells groups apart. An array would hash byte after byte.
  private struct GroupKey: Hashable {
    var bytes: [UInt8]

    func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
  }

  private var groups: [Group] = []
  private var groupOf: [GroupKey: Int] = [:]
  private var last: (key: [UInt8], group: Int) = ([], -1)
  private var children: [Child] = []
  private var newIDs: [SharedSpan: SpanID] = [:]
  private var written: [UInt8] = []
  /// How many bytes of resources that are said once may still be written for groups that they stand in front of.
  private var resourceBytesLeft: Int
  private var key: [UInt8] = []
  private var span: [UInt8] = []

  /// Makes one for a request of this size.
  init(requestBytes: Int = 0) { resourceBytesLeft = (1 << 20) &+ 4 &* requestBytes }

  /// Appends the draft's span under its resource and scope. Throws `excessive` where one resource would have to be
  /// written so often that the request grows out of all proportion.
  /// - Parameter resource: What was said of the resource besides; it comes first.
  /// - Parameter service: The digest of the emitter's name, where spans may be shared.
  mutating func append(
    _ draft: borrowing SpanDraft, in resource: ResourceDraft = ResourceDraft(), service: UInt64? = nil,
    of request: RawSpan
  ) throws(WireFault) {
    let group = try group(of: draft, in: resource, of: request)
    span.removeAll(keepingCapacity: true)
    var parentOffset: Int?
    span.append(addingCapacity: draft.encodedSizeMax) { parentOffset = draft.encode(to: &$0, of: request) }
    groups[group].spans.append(0x12)
    groups[group].spans.appendVarint(UInt64(truncatingIfNeeded: span.count))
    if let parentOffset, let service {
      let parent = SharedSpan(traceID: draft.traceID, spanID: draft.parentID, service: service)
      children.append(Child(group: group, offset: groups[group].spans.count &+ parentOffset, parent: parent))
    }
    groups[group].spans.append(contentsOf: span)
  }

  /// Notes that the server's half of a shared span has an ID of its own now: it is the parent of its service's spans.
  mutating func note(_ shared: SharedSpan, newID: SpanID) { newIDs[shared] = newID }

  private mutating func group(
    of draft: borrowing SpanDraft, in resource: ResourceDraft, of request: RawSpan
  ) throws(WireFault) -> Int {
    key.removeAll(keepingCapacity: true)
    key.append(draft.resource, tag: 0x0a, draft.texts, of: request)
    let resourceCount = key.count
    key.append(draft.scopeName, tag: 0x0a, draft.texts, of: request)
    key.append(draft.scopeVersion, tag: 0x12, draft.texts, of: request)
    let scopeCount = key.count &- resourceCount
    // The border belongs to the key: a resource's attribute and a scope's name may look alike.
    key.appendVarint(UInt64(truncatingIfNeeded: resourceCount))
    key.appendVarint(UInt64(truncatingIfNeeded: resource.number))
    if last.group >= 0, last.key == key { return last.group }
    if let known = groupOf[GroupKey(bytes: key)] {
      last = (key, known)
      return known
    }
    resourceBytesLeft &-= resource.attributes.count
    guard resourceBytesLeft >= 0 else { throw WireFault(.excessive, at: request.byteCount) }
    if groups.count == Self.groupsMax { flush() }
    groupOf[GroupKey(bytes: key)] = groups.count
    last = (key, groups.count)
    groups.append(
      Group(
        resource: resource.attributes + key[..<resourceCount],
        scope: Array(key[resourceCount..<resourceCount &+ scopeCount])))
    return last.group
  }

  /// The request.
  mutating func finish() -> [UInt8] {
    flush()
    return written
  }

  private mutating func flush() {
    if !newIDs.isEmpty {
      for child in children {
        guard let newID = newIDs[child.parent] else { continue }
        for index in 0..<8 {
          let shift = UInt64(truncatingIfNeeded: 56 &- 8 &* index)
          groups[child.group].spans[child.offset &+ index] = UInt8(truncatingIfNeeded: newID.rawValue >> shift)
        }
      }
    }
    children.removeAll(keepingCapacity: true)
    for group in groups {
      let scopeSize = group.scope.isEmpty ? 0 : group.scope.count.fieldSize
      let scopeSpansSize = scopeSize &+ group.spans.count
      let resourceSize = group.resource.isEmpty ? 0 : group.resource.count.fieldSize
      written.append(0x0a)
      written.appendVarint(UInt64(truncatingIfNeeded: resourceSize &+ scopeSpansSize.fieldSize))
      if !group.resource.isEmpty { written.append(message: group.resource, tag: 0x0a) }
      written.append(0x12)
      written.appendVarint(UInt64(truncatingIfNeeded: scopeSpansSize))
      if !group.scope.isEmpty { written.append(message: group.scope, tag: 0x0a) }
      written.append(contentsOf: group.spans)
    }
    groups.removeAll(keepingCapacity: true)
    groupOf.removeAll(keepingCapacity: true)
    last = ([], -1)
  }
}

/// A span of which client and server have reported each a half under one ID (B3's default), seen from one service.
struct SharedSpan: Hashable {
  var traceID: TraceID
  var spanID: SpanID
  /// The digest of the server's name.
  var service: UInt64

  /// The ID that the server's half gets: the same wherever and whenever it is reported.
  var serverID: SpanID {
    var mixed = spanID.rawValue
    for word in [traceID.high, traceID.low, service] { mixed = Self.mix(mixed ^ word) }
    return SpanID(mixed == 0 ? 1 : mixed)
  }

  /// The finisher of SplitMix64: every bit in changes half of those out.
  private static func mix(_ word: UInt64) -> UInt64 {
    var mixed = word &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
