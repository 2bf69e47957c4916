internal import TraceWire

/// What stays known of one end of a link when its trace is gone.
struct LinkEnd: Hashable, Sendable {
  struct Flags: OptionSet, Hashable, Sendable {
    let rawValue: UInt8
    /// An error span in the contract's sense.
    static let error = Flags(rawValue: 1 << 0)
    /// The span's parent is known too (or it names itself): it does not wait for its parent.
    static let parentKnown = Flags(rawValue: 1 << 1)
  }

  /// End minus start in nanoseconds, zero where the end lies before the start.
  var duration: UInt64
  /// How many spans this one stands for.
  var weight: Double
  /// Length of the span's OTLP message.
  var bytes: UInt32
  var service: UInt32
  /// Tells regions past the cap apart, whose numbers are all 0.
  var regionFingerprint: UInt32
  var region: UInt16
  var kind: SpanFacts.Kind
  var flags: Flags

  /// Whether both spans were emitted in the same region.
  @inline(__always) func isInRegion(of other: LinkEnd) -> Bool {
    region == other.region && (region != 0 || regionFingerprint == other.regionFingerprint)
  }
}

/// What the shard knows of one span besides its bytes; `PackedSpan` is how it is kept.
struct SpanRecord: Hashable, Sendable {
  var spanID: SpanID
  /// Zero where the span has no parent.
  var parentID: SpanID
  var start: UInt64
  var end: UInt64
  var link: LinkEnd

  /// Makes a record of its parts.
  @inline(__always) init(spanID: SpanID, parentID: SpanID, start: UInt64, end: UInt64, link: LinkEnd) {
    self.spanID = spanID
    self.parentID = parentID
    self.start = start
    self.end = end
    self.link = link
  }

  /// Makes the record of a span whose trace ID and span ID are valid.
  @inline(__always) init(_ facts: borrowing SpanFacts, _ label: ResourceLabel) {
    spanID = facts.spanID
    parentID = facts.parentID
    start = facts.start
    end = facts.end
    link = LinkEnd(
      duration: facts.end.saturatingSubtract(facts.start),
      weight: facts.traits.contains(.hasThreshold) ? facts.threshold.adjustedCount : 1,
      bytes: UInt32(truncatingIfNeeded: facts.body.count), service: label.service,
      regionFingerprint: label.regionFingerprint, region: label.region, kind: facts.kind,
      flags: facts.traits.contains(.error) ? .error : [])
  }

  @inline(__always) var isRoot: Bool { !parentID.isValid }
  /// Whether the span names a parent that is not known.
  @inline(__always) var isUnmatchedEntry: Bool { parentID.isValid && !link.flags.contains(.parentKnown) }
  /// Whether the span calls others and so waits for children.
  @inline(__always) var isExit: Bool { link.kind == .client || link.kind == .producer }

  /// A total order on what the span itself says, whatever else is known of the trace.
  static func precedes(_ left: SpanRecord, _ right: SpanRecord) -> Bool {
    left.content.lexicographicallyPrecedes(right.content)
  }

  private var content: [UInt64] {
    [
      spanID.rawValue, start, end, parentID.rawValue, UInt64(link.kind.rawValue), link.weight.bitPattern,
      UInt64(link.bytes), UInt64(link.service), UInt64(link.region), UInt64(link.regionFingerprint),
      UInt64(link.flags.intersection(.error).rawValue),
    ]
  }
}
