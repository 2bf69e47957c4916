public import TraceWire

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
  ///   - asksBeforeClosing: whether a trace closes only with `close(_:now:)`, having been asked for by
  ///     `takeQuestions()`; only `closeOldest` and `closeAll` close on their own then.
  ///   - keepsBytes: whether spans' bytes are held to be handed on. Where nobody takes them, facts are enough to
  ///     stitch and count: payloads are empty then.
  public init(
    limits: StitchingLimits, flow: FlowLimits, names: FlowNames, hash: KeyedHash, now: UInt64,
    asksBeforeClosing: Bool = false, keepsBytes: Bool = true
  ) {
    state = ShardState(
      limits: limits, flow: flow, names: names, hash: hash, now: now, asksBeforeClosing: asksBeforeClosing,
      keepsBytes: keepsBytes)
  }

  /// Takes in the spans of a request with these indices, all valid; quickest when a trace's are next to
  /// each other and rising, as `RequestPartitioner` puts them.
  /// The report's late spans and early closed traces are to be handed on.
  /// - Parameter lease: what stands for the memory of the request. With it the shard may keep the request for a while
  ///   and lets both go together; without one it copies what it needs.
  public func ingest(
    _ request: ReceivedRequest, spans: [UInt32], now: UInt64, lease: AnyObject? = nil
  ) -> IngestReport {
    state.ingest(request, spans, lease: lease, now)
  }

  /// Compresses some of the spans that have waited for a while, so many bytes of them: those of traces that are due as
  /// well, where those are not being closed.
  /// - Returns: whether there are more.
  public func pack(byteCount: Int, evenDue: Bool, now: UInt64) -> Bool {
    state.pack(state.tick(now), byteCount: byteCount, evenDue: evenDue)
  }

  /// Puts other limits in force for what comes. Timeouts that are shorter now hold for traces that are opened from now
  /// on, longer ones for all. What is remembered of closed traces keeps its size.
  public func adopt(_ limits: StitchingLimits) { state.adopt(limits) }

  /// Closes traces whose time has come, at most `closedPerAdvance` and about `closedBytesPerAdvance`. There are more while `nextDeadline` is not past
  /// `now`.
  public func advance(to now: UInt64) -> Closing { state.advance(now) }

  /// The traces that are to close by now. Each is to be answered with `close(_:now:)` or `keepOpen(_:now:)`.
  public func takeQuestions() -> [TraceID] {
    defer { state.questions.removeAll(keepingCapacity: state.questions.capacity < 1 << 14) }
    return state.questions
  }

  /// Closes those of the traces that are live.
  public func close(_ ids: [TraceID], now: UInt64) -> Closing { state.close(ids, now) }

  /// Goes on with traces whose closing could not be said: they come up again when they have been idle anew.
  public func keepOpen(_ ids: [TraceID], now: UInt64) { state.keepOpen(ids, now) }

  /// Takes all live traces for seen now: nobody could tell of them for a while. Their age goes on.
  public func wake(now: UInt64) { state.wake(now) }

  /// Whether a trace is being collected.
  public func isLive(_ id: TraceID) -> Bool { state.isLive(id) }

  /// Whether a trace has closed and is remembered.
  public func isClosed(_ id: TraceID, now: UInt64) -> Bool { state.isClosed(id, now) }

  /// Remembers a trace, unless it is known, as one that has closed and of whose spans nothing is known any more.
  public func rememberClosed(_ id: TraceID, now: UInt64) { state.rememberClosed(id, now) }

  /// Forgets what was counted so far, but nothing of the traces: somebody else knows the counts.
  public func forgetCounts() { state.forgetCounts() }

  /// Closes the traces that were idle for longest until what is held is not more than this.
  public func closeOldest(untilHeldBytes target: Int, now: UInt64) -> Closing {
    state.closeOldest(untilHeldBytes: target, now)
  }

  /// Closes traces for a drain, the longest idle first: all, or at most so many and about `closedBytesPerAdvance`.
  public func closeAll(now: UInt64, limit: Int = .max) -> Closing { state.closeAll(now, limit) }

  /// When `advance` may have something to do; at most a tick (100 ms) after that it is due.
  public var nextDeadline: UInt64? { state.nextDeadline() }

  /// Bytes of the live traces: spans and bookkeeping. What is remembered of closed ones has its own cap.
  public var heldBytes: Int { state.live.heldBytes }
  /// Bytes of all that the shard has allocated: what is held, what is free between it, and what is remembered of closed
  /// traces. Requests that are kept count in their leases.
  public var memoryBytes: Int { state.measureMemory() }
  /// Spans of the live traces.
  public var heldSpans: Int { state.live.spanCount }
  /// Traces that are being collected.
  public var liveTraces: Int { state.live.count }

  /// All metrics now.
  public func snapshot() -> FlowSnapshot { FlowSnapshot(state) }
}
