internal import TraceWire

/// All of a shard, as a value, so that the compiler sees who changes what.
struct ShardState {
  private(set) var limits: StitchingLimits
  let flowLimits: FlowLimits
  let names: FlowNames
  let hash: KeyedHash
  private(set) var policy: ClosePolicy
  var segmenter: Segmenter
  var live: LiveTraces
  var closed: ClosedTraces
  var lateSpans: RecentWords
  var latePairs: RecentWords
  var halfLinks: HalfLinks
  var flows: FlowCounters
  var earlyClosings = [UInt64](repeating: 0, count: EarlyClosing.allCases.count)
  var duplicates: UInt64 = 0
  var overBudget: UInt64 = 0
  var clock: UInt64
  var accepted: [UInt32] = []
  var links: [Link] = []
  var ends: [LinkEnd] = []
  /// The spans of a trace that closes.
  var closingSpans: [SpanRecord] = []
  var cut: [UInt8] = []
  /// Whether a trace closes only when its owner says so, having been asked; otherwise it closes at once.
  let asksBeforeClosing: Bool
  /// Whether spans' bytes are kept to be handed on.
  let keepsBytes: Bool
  /// Traces whose closing is to be asked for.
  var questions: [TraceID] = []
  /// Traces that were opened since the last look for those whose time has come.
  var openedSinceAdvance = 0
  /// Whether the spans of the request at hand are kept in it.
  var isKeeping = false
  /// Bytes of the request that was kept last.
  var keptBytes = 0
  /// Bytes that may still be written for the request at hand.
  var room = 0

  init(
    limits: StitchingLimits, flow: FlowLimits, names: FlowNames, hash: KeyedHash, now: UInt64,
    asksBeforeClosing: Bool = false, keepsBytes: Bool = true
  ) {
    self.limits = limits.inRange
    flowLimits = flow
    self.names = names
    self.hash = hash
    self.asksBeforeClosing = asksBeforeClosing
    self.keepsBytes = keepsBytes
    policy = ClosePolicy(limits)
    segmenter = Segmenter(names: names, hash: hash.derived(1))
    // Small enough that a small limit is not a few blocks, and large enough that there are not too many.
    let blockBytes = min(max(limits.memoryBytesMax / 64, 4 << 10), 256 << 10)
    live = LiveTraces(hash: hash.derived(2), spanHash: hash, blockBytes: blockBytes, now: now)
    // An end that waits is only of use while its trace is known as closed.
    let linkTTL = flow.linkTTL.clampedNanoseconds
    let memory = max(limits.maxTraceAge.clampedNanoseconds, linkTTL)
    closed = ClosedTraces(
      capacity: limits.maxClosedTraces, bytesMax: limits.closedBytesMax, ttl: memory, hash: hash.derived(3))
    lateSpans = RecentWords(capacity: limits.maxLateSpans, ttl: memory, hash: hash.derived(4))
    latePairs = RecentWords(capacity: limits.maxLateSpans, ttl: memory, hash: hash.derived(5))
    halfLinks = HalfLinks(capacity: flow.maxHalfLinks, ttl: linkTTL, hash: hash.derived(6))
    flows = FlowCounters(limits: flow, names: names, hash: hash.derived(7))
    clock = now
  }

  /// Bytes of everything the shard has allocated, however much of it is in use.
  var memoryBytes: Int {
    live.byteCount + closed.byteCount + lateSpans.byteCount + latePairs.byteCount + halfLinks.byteCount
  }

  // Questions that come with every request are mutating, so that nobody copies the state to ask them.

  mutating func measureMemory() -> Int { memoryBytes }

  mutating func isLive(_ id: TraceID) -> Bool { live.find(id) != nil }

  mutating func isClosed(_ id: TraceID, _ now: UInt64) -> Bool { closed.find(id, now: max(now, clock)) != nil }

  mutating func adopt(_ newLimits: StitchingLimits) {
    limits = newLimits.inRange
    policy = ClosePolicy(limits)
  }

  mutating func wake(_ now: UInt64) { live.wake(tick(now)) }

  /// The time, which does not run backwards.
  mutating func tick(_ now: UInt64) -> UInt64 {
    clock = max(clock, now)
    return clock
  }
}

extension StitchingLimits {
  /// With at least one where none would be for ever.
  fileprivate var inRange: StitchingLimits {
    var limits = self
    limits.maxSpansPerTrace = max(1, limits.maxSpansPerTrace)
    limits.closedPerAdvance = max(1, limits.closedPerAdvance)
    return limits
  }
}
