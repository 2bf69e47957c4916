/// One shard of the aggregator: collects, matches, closes and remembers the traces that `ShardMap` gives it.
/// Single-threaded and without I/O: the loop it belongs to hands it spans and the time, which does not run backwards
/// (where it does, the shard stays where it was).
public final class StitchingShard {
  private var state: ShardState

  /// An empty shard.
  /// - Parameters:
  ///   - limits: the shard's own share (`StitchingLimits.divided(by:)`).
  ///   - flow: the shard's own share (`FlowLimits.divided(by:)`).
  ///   - names: the label tables, which all shards of the process share.
  ///   - hash: a secret that is not `ShardMap`'s.
  ///   - now: monotonic nanoseconds.
  public init(limits: StitchingLimits, flow: FlowLimits, names: FlowNames, hash: KeyedHash, now: UInt64) {
    state = ShardState(limits: limits, flow: flow, names: names, hash: hash, now: now)
  }

  /// Takes in the spans of a request with these indices, all valid; quickest when a trace's are next to
  /// each other and rising, as `RequestPartitioner` puts them.
  /// The report's late spans and early closed traces are to be handed on.
  public func ingest(_ request: ReceivedRequest, spans: [UInt32], now: UInt64) -> IngestReport {
    state.ingest(request, spans, now)
  }

  /// Closes traces whose time has come, at most `closedPerAdvance`. There are more while `nextDeadline` is not past
  /// `now`.
  public func advance(to now: UInt64) -> [ClosedTrace] { state.advance(now) }

  /// Closes the traces that were idle for longest until what is held is not more than this.
  public func closeOldest(untilHeldBytes target: Int, now: UInt64) -> [ClosedTrace] {
    state.closeOldest(untilHeldBytes: target, now)
  }

  /// Closes traces for a drain, the longest idle first; at most so many, all by default.
  public func closeAll(now: UInt64, limit: Int = .max) -> [ClosedTrace] { state.closeAll(now, limit) }

  /// When `advance` may have something to do; at most a tick (100 ms) after that it is due.
  public var nextDeadline: UInt64? { state.nextDeadline }

  /// Bytes of the live traces: spans and bookkeeping. What is remembered of closed ones has its own cap.
  public var heldBytes: Int { state.live.heldBytes }
  /// Spans of the live traces.
  public var heldSpans: Int { state.live.spanCount }
  /// Traces that are being collected.
  public var liveTraces: Int { state.live.count }

  /// All metrics now.
  public func snapshot() -> FlowSnapshot { FlowSnapshot(state) }
}
