internal import TraceWire

/// How long traces are waited for and how much of them is held. The numbers are a shard's own: `divided(by:)` makes
/// them of the process's.
public struct StitchingLimits: Sendable, Equatable {
  /// A trace closes when no new span came for so long.
  public var idleTimeout: Duration = .seconds(10)
  /// A trace closes so long after its first span, and is remembered so long after it was closed.
  public var maxTraceAge: Duration = .seconds(300)
  /// One more closes the trace that was idle for longest.
  public var maxLiveTraces = 1_000_000
  /// Bytes of live traces, spans and bookkeeping; past it the traces that were idle for longest close.
  public var memoryBytesMax = 2048 << 20
  /// Spans are kept in their requests where traces are idle for no longer than this until they close. With a longer
  /// `idleTimeout` nearly all would have to be packed after all, and by then that costs more than when they come.
  public var youngIdleMax: Duration = .seconds(3)
  /// Spans that have come so long ago are compressed while they wait on.
  public var youngAge: Duration = .seconds(3)
  /// Spans past it leave as over budget.
  public var maxSpansPerTrace = 100_000
  /// Closed traces that are remembered; one more forgets the oldest.
  public var maxClosedTraces = 2_000_000
  /// Bytes of what is remembered of closed traces.
  public var closedBytesMax = 256 << 20
  /// Late spans that are remembered, to tell their duplicates; one more forgets the oldest.
  public var maxLateSpans = 1_000_000
  /// About what one late span takes that is remembered, with its pair.
  public static let lateSpanBytes = 128
  /// How many times its own size a request may come to when its resources are copied into each of its traces; spans
  /// past it, and past a first MiB, leave as over budget. Without it one large resource and many small traces in one
  /// request would fill any memory.
  public var maxExpansion = 16
  /// The most traces one call of `advance` closes, or twice as many as were opened since the last one.
  public var closedPerAdvance = 32
  /// Bytes of closed traces, as they were held and as they are handed on, from which on a call closes no further one:
  /// they are not compressed any more.
  public var closedBytesPerAdvance = 1 << 20

  public init() {}

  /// The limits of each of so many shards.
  public func divided(by shards: Int) -> StitchingLimits {
    precondition(shards > 0, "there is at least one shard")
    var part = self
    part.maxLiveTraces = max(1, maxLiveTraces / shards)
    part.memoryBytesMax = max(1, memoryBytesMax / shards)
    part.maxClosedTraces = max(1, maxClosedTraces / shards)
    part.closedBytesMax = max(1, closedBytesMax / shards)
    part.maxLateSpans = max(1, maxLateSpans / shards)
    return part
  }

  /// How many bytes may be written for so many spans of a request.
  func writtenBytesMax(for spans: Int, of request: ReceivedRequest) -> Int {
    let total = max(1, request.facts.spans.count)
    let share = Double(request.bytes.count) * Double(maxExpansion) * Double(spans) / Double(total)
    return Int(min(share, 1e15)) + (1 << 20)
  }
}

/// The caps of the flow metrics.
public struct FlowLimits: Sendable, Equatable {
  /// Upper bounds of all histograms, in seconds, rising.
  public var durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
  /// Region names in the whole process; further ones are `__overflow__`.
  public var maxRegions = 100
  /// Service names in the whole process; further ones are `__overflow__`.
  public var maxServices = 1000
  /// Ordered region pairs in the whole process; further ones are `__overflow__` on both sides. Above what
  /// `maxRegions` regions can make, so that it only guards larger settings.
  public var maxPairs = 16_384
  /// Edges of the service graph in the whole process: services alone would allow 10^10 of them.
  public var maxEdges = 10_000
  /// How long an end that waits for its other is remembered after its trace closed.
  public var linkTTL: Duration = .seconds(60)
  /// About what one end takes that waits.
  public static let halfLinkBytes = 112
  /// Ends that wait past their trace's closing; one more forgets the oldest. A shard's own.
  public var maxHalfLinks = 2_000_000

  public init() {}

  /// The limits of each of so many shards.
  public func divided(by shards: Int) -> FlowLimits {
    precondition(shards > 0, "there is at least one shard")
    var part = self
    part.maxHalfLinks = max(1, maxHalfLinks / shards)
    return part
  }
}

extension Duration {
  /// Whole nanoseconds, 0 where negative, clamped to half of `UInt64` so that sums of a few do not overflow.
  var clampedNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    guard seconds < 4_000_000_000 else { return .max >> 1 }
    return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }
}

extension UInt64 {
  /// The sum, or the largest number where it does not fit.
  @inline(__always) func saturatingAdd(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// The difference, or zero where it would be negative.
  @inline(__always) func saturatingSubtract(_ other: UInt64) -> UInt64 { self > other ? self &- other : 0 }
}
