internal import TraceWire

/// All of a shard, as a value, so that the compiler sees who changes what.
struct ShardState {
  let limits: StitchingLimits
  let flowLimits: FlowLimits
  let names: FlowNames
  let hash: KeyedHash
  let policy: ClosePolicy
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
  private var clock: UInt64
  private var accepted: [UInt32] = []
  private var links: [Link] = []
  private var ends: [LinkEnd] = []

  init(limits: StitchingLimits, flow: FlowLimits, names: FlowNames, hash: KeyedHash, now: UInt64) {
    self.limits = limits
    flowLimits = flow
    self.names = names
    self.hash = hash
    policy = ClosePolicy(limits)
    segmenter = Segmenter(names: names, hash: hash.derived(1))
    live = LiveTraces(hash: hash.derived(2), now: now)
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

  /// The time, which does not run backwards.
  private mutating func tick(_ now: UInt64) -> UInt64 {
    clock = max(clock, now)
    return clock
  }
}

// MARK: - Taking in

extension ShardState {
  mutating func ingest(_ request: ReceivedRequest, _ indices: [UInt32], _ now: UInt64) -> IngestReport {
    let now = tick(now)
    var report = IngestReport()
    let before = live.heldBytes
    segmenter.begin(request)
    let spans = request.facts.spans.span
    var first = 0
    while first < indices.count {
      let id = spans[Int(indices[first])].traceID
      var last = first &+ 1
      while last < indices.count, spans[Int(indices[last])].traceID == id { last &+= 1 }
      let run = indices[first..<last]
      if let slot = live.find(id) {
        collect(run, of: request, in: slot, now, &report)
      } else if let record = closed.find(id, now: now) {
        takeLate(run, of: request, id, record, now, &report)
      } else {
        collect(run, of: request, in: open(id, now, &report), now, &report)
      }
      first = last
    }
    while live.heldBytes > limits.memoryBytesMax, let slot = live.longestIdle {
      report.closed.append(close(slot, early: .memory, now))
    }
    report.heldBytesChange = live.heldBytes &- before
    duplicates &+= UInt64(report.duplicates)
    overBudget &+= UInt64(report.overBudget)
    return report
  }

  /// Opens a trace, and closes the one that was idle for longest where there is no room.
  private mutating func open(_ id: TraceID, _ now: UInt64, _ report: inout IngestReport) -> UInt32 {
    if live.count >= limits.maxLiveTraces, let slot = live.longestIdle {
      report.closed.append(close(slot, early: .maxLiveTraces, now))
    }
    return live.open(id, now: now, deadline: policy.deadline(firstSeen: now, lastSeen: now))
  }

  /// Takes spans of one request into a live trace, and counts the links that this completes.
  private mutating func collect(
    _ run: ArraySlice<UInt32>, of request: ReceivedRequest, in slot: UInt32, _ now: UInt64,
    _ report: inout IngestReport
  ) {
    let (bytes, spanCount) = (live[slot].heldBytes, live[slot].segment.spans.count)
    accepted.removeAll(keepingCapacity: true)
    links.removeAll(keepingCapacity: true)
    live[slot].segment.reserve(run.count)
    for index in run {
      let record = segmenter.record(index, of: request)
      if live[slot].segment.find(record.spanID, hash: hash) != nil {
        report.duplicates &+= 1
      } else if live[slot].segment.spans.count >= limits.maxSpansPerTrace {
        report.overBudget &+= 1
      } else {
        live[slot].segment.absorb(record, hash: hash, links: &links)
        accepted.append(index)
      }
    }
    guard !accepted.isEmpty else { return }
    report.accepted &+= accepted.count
    match(slot)
    SpanCutter.append(accepted, of: request, to: &live[slot].payload)
    live.grew(slot, fromBytes: bytes, fromSpans: spanCount, now: now)
  }

  /// Counts the links that have just been completed in a live trace.
  private mutating func match(_ slot: UInt32) {
    for link in links {
      let parent = live[slot].segment.spans[Int(link.parent)].link
      let child = live[slot].segment.spans[Int(link.child)].link
      flows.count(edge: parent, child)
      if let pair = flows.crossing(parent, child) {
        flows.count(crossing: pair, parent, child, isFirst: live[slot].pairs.insert(pair))
      }
    }
  }

  /// Takes spans of a trace that is closed: they go on by themselves, and meet what still waits for them.
  private mutating func takeLate(
    _ run: ArraySlice<UInt32>, of request: ReceivedRequest, _ id: TraceID, _ record: UInt32, _ now: UInt64,
    _ report: inout IngestReport
  ) {
    accepted.removeAll(keepingCapacity: true)
    for index in run {
      let span = segmenter.record(index, of: request)
      if closed.contains(span.spanID, in: record) || lateSpans.contains(span.spanID.rawValue, in: id) {
        report.duplicates &+= 1
        continue
      }
      lateSpans.insert(span.spanID.rawValue, in: id, now: now)
      flows.count(late: span)
      matchLate(span, of: id, record, now)
      accepted.append(index)
    }
    report.late &+= accepted.count
    SpanCutter.append(accepted, of: request, to: &report.latePayload)
  }

  private mutating func matchLate(_ span: SpanRecord, of id: TraceID, _ record: UInt32, _ now: UInt64) {
    var span = span
    if span.parentID == span.spanID {
      span.link.flags.insert(.parentKnown)
    } else if span.parentID.isValid, let parent = halfLinks.parent(span.parentID, in: id, now: now) {
      span.link.flags.insert(.parentKnown)
      count(parent, span.link, of: id, record, now)
    }
    ends.removeAll(keepingCapacity: true)
    halfLinks.takeChildren(of: span.spanID, in: id, now: now, into: &ends)
    for child in ends { count(span.link, child, of: id, record, now) }
    halfLinks.remember(span, in: id, now: now)
  }

  private mutating func count(
    _ parent: LinkEnd, _ child: LinkEnd, of id: TraceID, _ record: UInt32, _ now: UInt64
  ) {
    flows.count(edge: parent, child)
    guard let pair = flows.crossing(parent, child) else { return }
    let isFirst = !closed.crossed(pair, in: record) && !latePairs.contains(UInt64(pair), in: id)
    if isFirst { latePairs.insert(UInt64(pair), in: id, now: now) }
    flows.count(crossing: pair, parent, child, isFirst: isFirst)
  }
}

// MARK: - Closing

extension ShardState {
  mutating func advance(_ now: UInt64) -> [ClosedTrace] {
    let now = tick(now)
    var traces: [ClosedTrace] = []
    // Timers that only have to be armed again are work too.
    var left = limits.closedPerAdvance &* 4
    while traces.count < limits.closedPerAdvance, left > 0, let slot = live.fire(now: now) {
      left &-= 1
      let deadline = policy.deadline(firstSeen: live[slot].firstSeen, lastSeen: live[slot].lastSeen)
      if deadline <= now {
        traces.append(close(slot, isArmed: false, now))
      } else {
        live.arm(slot, at: deadline)
      }
    }
    let limit = limits.closedPerAdvance &* 4
    closed.expire(now: now, limit: limit)
    lateSpans.expire(now: now, limit: limit)
    latePairs.expire(now: now, limit: limit)
    halfLinks.expire(now: now, limit: limit)
    return traces
  }

  var nextDeadline: UInt64? {
    [
      live.nextDeadline, closed.nextExpiry, lateSpans.nextExpiry, latePairs.nextExpiry, halfLinks.nextExpiry,
    ].compactMap { $0 }.min()
  }

  mutating func closeOldest(untilHeldBytes target: Int, _ now: UInt64) -> [ClosedTrace] {
    let now = tick(now)
    var traces: [ClosedTrace] = []
    while live.heldBytes > target, let slot = live.longestIdle {
      traces.append(close(slot, early: .memory, now))
    }
    return traces
  }

  mutating func closeAll(_ now: UInt64, _ limit: Int) -> [ClosedTrace] {
    let now = tick(now)
    var traces: [ClosedTrace] = []
    while traces.count < limit, let slot = live.longestIdle {
      traces.append(close(slot, early: .shutdown, now))
    }
    return traces
  }

  private mutating func close(_ slot: UInt32, early reason: EarlyClosing, _ now: UInt64) -> ClosedTrace {
    earlyClosings[reason.rawValue] &+= 1
    return close(slot, isArmed: true, now)
  }

  /// Closes a trace: counts it, remembers what may still be asked for, and hands its bytes on.
  private mutating func close(_ slot: UInt32, isArmed: Bool, _ now: UInt64) -> ClosedTrace {
    let trace = live.take(slot, isArmed: isArmed)
    let summary = TraceSummary(trace.segment)
    flows.count(closing: trace.segment, summary)
    for span in trace.segment.spans { halfLinks.remember(span, in: trace.id, now: now) }
    closed.remember(trace.id, trace.segment, trace.pairs, now: now)
    return ClosedTrace(
      traceID: trace.id, payload: trace.payload, spanCount: trace.segment.spans.count,
      isComplete: summary.isComplete, isCrossRegion: summary.isCrossRegion, heldBytes: trace.heldBytes)
  }
}
