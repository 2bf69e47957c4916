internal import TraceWire

/// One loop's rewriting of resources. An SDK sends the same resource with every request, so an edited one is remembered
/// by the bytes it came as; when the cache is full it is emptied.
struct ResourceRewriter: Sendable {
  static let resourcesMax = 1024
  /// All that is remembered together.
  static let cachedBytesMax = 4 << 20
  /// Longest resource that is remembered.
  static let resourceBytesMax = 16 << 10

  private var rules: ResourceRules
  /// The region of resources that name none; nil where they are to stay without.
  private let ownStamp: [UInt8]?
  /// Where in `edited` a resource's edited message is; an empty range leaves it as it came.
  private var known: ByteTable<ByteRange>
  private var edited: [UInt8] = []
  /// How often it was full.
  private(set) var flushes = 0
  private(set) var growth = GrowthLimit()
  private var list = AttributeList()
  private var splice = MessageSplice()

  init(_ rules: ResourceRules, region: String?, hash: KeyedHash) {
    self.rules = rules
    ownStamp = region.map { Array($0.utf8) }
    known = ByteTable(hash: hash)
  }

  /// What becomes of a resource; its edited message is appended to `scratch`.
  mutating func rewrite(
    _ facts: borrowing ResourceFacts, in bytes: RawSpan, to scratch: inout [UInt8]
  ) -> RewritePlan.ResourceAction {
    let needsStamp = ownStamp != nil ? facts.region.isEmpty : false
    if rules.isEmpty, !needsStamp { return .keep }
    let resource = facts.resource
    if let found = known.value(resource, of: bytes), isSelfContained(facts) {
      guard !found.isEmpty else { return .keep }
      let start = scratch.count
      edited.span.bytes.append(found, to: &scratch)
      return .replace(ByteRange(start, scratch.count))
    }
    let start = scratch.count
    guard let range = try? edit(facts, in: bytes, to: &scratch) else {
      scratch.removeSubrange(start...)
      return .keep
    }
    if isSelfContained(facts) { remember(resource, in: bytes, as: range, of: scratch) }
    return range.isEmpty ? .keep : .replace(range)
  }

  /// Whether the outcome depends on the message alone. Where a peer sends several resources in one `ResourceSpans` the
  /// region may stand in another one, and what is stamped then must not be remembered for others.
  private func isSelfContained(_ facts: borrowing ResourceFacts) -> Bool {
    if facts.region.isEmpty { return true }
    let (region, resource) = (facts.region, facts.resource)
    return region.lower >= resource.lower && region.upper <= resource.upper
  }

  private mutating func remember(_ resource: ByteRange, in bytes: RawSpan, as range: ByteRange, of scratch: [UInt8]) {
    guard resource.count <= Self.resourceBytesMax else { return }
    if known.count >= Self.resourcesMax || known.keyBytes &+ edited.count > Self.cachedBytesMax {
      known.removeAll()
      edited.removeAll(keepingCapacity: true)
      flushes &+= 1
    }
    let start = edited.count
    scratch.span.bytes.append(range, to: &edited)
    known.insert(resource, of: bytes, value: ByteRange(start, edited.count))
  }

  /// Edits a resource; an empty range where there is nothing to edit.
  private mutating func edit(
    _ facts: borrowing ResourceFacts, in bytes: RawSpan, to scratch: inout [UInt8]
  ) throws(WireFault) -> ByteRange {
    var stamp = ownStamp
    if ownStamp != nil, !facts.region.isEmpty { stamp = bytes.array(facts.region) }
    growth.begin(requestBytes: facts.resource.count)
    try list.load(facts.resource, of: bytes, owner: .resource)
    try rules.run(on: &list, in: bytes, stamp: stamp, growth: &growth)
    guard list.isChanged else { return ByteRange() }
    splice.reset()
    list.emit(tag: UInt8(truncatingIfNeeded: SpanAttributes.Owner.resource.rawValue), to: &splice)
    return splice.append(facts.resource, of: bytes, to: &scratch)
  }
}
