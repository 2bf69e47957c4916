internal import TraceWire

/// One loop's rewriting of resources. An SDK sends the same resource with every request, so an edited one is remembered
/// by the bytes it came as; when the cache is full it is emptied.
struct ResourceRewriter: Sendable {
  static let resourcesMax = 1024
  /// All that is remembered together.
  static let cachedBytesMax = 4 << 20
  /// Longest resource that is remembered.
  static let resourceBytesMax = 16 << 10

  private let rules: ResourceRules
  private let ownStamp: [UInt8]
  /// Where in `edited` a resource's edited message is; an empty range leaves it as it came.
  private var known: ByteTable<ByteRange>
  private var edited: [UInt8] = []
  /// How often it was full.
  private(set) var flushes = 0

  init(_ rules: ResourceRules, region: String, hash: KeyedHash) {
    self.rules = rules
    ownStamp = KeyValueEncoder.encode(key: ResourceRules.stampKey, value: .string(region))
    known = ByteTable(hash: hash)
  }

  /// What becomes of a resource; its edited message is appended to `scratch`.
  mutating func rewrite(
    _ facts: borrowing ResourceFacts, in bytes: RawSpan, to scratch: inout [UInt8]
  ) -> RewritePlan.ResourceAction {
    if rules.isEmpty, !facts.region.isEmpty { return .keep }
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
  private func edit(
    _ facts: borrowing ResourceFacts, in bytes: RawSpan, to scratch: inout [UInt8]
  ) throws(WireFault) -> ByteRange {
    var present: [ResourceRules.Attribute] = []
    var attributes = SpanAttributes(facts.resource, of: bytes, owner: .resource)
    while let attribute = try attributes.next() {
      let isText = attribute.string.map { !$0.isEmpty } ?? false
      present.append(
        ResourceRules.Attribute(key: bytes.array(attribute.key), isText: isText, ordinal: attribute.ordinal))
    }
    var stamp = ownStamp
    if !facts.region.isEmpty {
      let name = String(decoding: bytes.array(facts.region), as: UTF8.self)
      stamp = KeyValueEncoder.encode(key: ResourceRules.stampKey, value: .string(name))
    }
    let outcome = rules.outcome(for: present, stamp: stamp)
    guard !outcome.dropped.isEmpty || !outcome.added.isEmpty else { return ByteRange() }
    return try ResourceEditor.append(
      facts.resource, of: bytes, attributes: outcome.dropped.map { AttributeEdit(ordinal: $0, action: .drop) },
      adding: outcome.added, to: &scratch)
  }
}
