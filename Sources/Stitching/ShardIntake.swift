internal import TraceWire

/// Taking in: each run of spans of one trace goes to its live trace, to a new one, or on by itself.
extension ShardState {
  mutating func ingest(
    _ request: ReceivedRequest, _ indices: [UInt32], lease: AnyObject?, _ now: UInt64
  ) -> IngestReport {
    let now = tick(now)
    var report = IngestReport()
    beginKeeping(request, indices, lease, now)
    let before = live.heldBytes
    segmenter.begin(request)
    room = limits.writtenBytesMax(for: indices.count, of: request)
    let facts = request.facts.spans
    let spans = facts.span
    var first = 0
    while first < indices.count {
      let id = spans[Int(indices[first])].traceID
      var last = first &+ 1
      while last < indices.count, indices[last] > indices[last &- 1], spans[Int(indices[last])].traceID == id {
        last &+= 1
      }
      let run = indices[first..<last]
      if let slot = live.find(id) {
        collect(run, of: request, in: slot, now, &report)
      } else if let record = closed.find(id, now: now) {
        takeLate(run, of: request, id, record, now, &report)
      } else if room > 0 {
        collect(run, of: request, in: open(id, request.tenant, now, &report), now, &report)
      } else {
        // A trace is only opened for a span that it then holds.
        report.overBudget &+= run.count
      }
      if asksBeforeClosing {
        askForRoom()
      } else {
        packForRoom()
        while live.heldBytes > limits.memoryBytesMax, let slot = live.longestIdle {
          close(slot, early: .memory, now, into: &report.closed)
        }
        finish(&report.closed)
      }
      first = last
    }
    endKeeping(now)
    giveBackRoom()
    report.heldBytesChange = live.heldBytes &- before
    duplicates &+= UInt64(report.duplicates)
    overBudget &+= UInt64(report.overBudget)
    return report
  }

  /// Gives back what an unusually large request has made the scratch arrays grow to.
  private mutating func giveBackRoom() {
    let usual = 1 << 14
    if accepted.capacity > usual { accepted = [] }
    if links.capacity > usual { links = [] }
    if ends.capacity > usual { ends = [] }
    if closingSpans.capacity > usual { closingSpans = [] }
    if cut.capacity > usual << 6 { cut = [] }
  }

  /// Opens a trace, and closes the one that was idle for longest where there is no room.
  private mutating func open(
    _ id: TraceID, _ tenant: UInt16, _ now: UInt64, _ report: inout IngestReport
  ) -> UInt32 {
    if !asksBeforeClosing, live.count >= limits.maxLiveTraces, let slot = live.longestIdle {
      close(slot, early: .maxLiveTraces, now, into: &report.closed)
      finish(&report.closed)
    }
    openedSinceAdvance &+= 1
    return live.open(id, tenant: tenant, now: now, deadline: policy.deadline(firstSeen: now, lastSeen: now))
  }

  /// Takes spans of one request into a live trace, and counts the links that this completes.
  private mutating func collect(
    _ run: ArraySlice<UInt32>, of request: ReceivedRequest, in slot: UInt32, _ now: UInt64,
    _ report: inout IngestReport
  ) {
    accepted.removeAll(keepingCapacity: true)
    links.removeAll(keepingCapacity: true)
    let last = live[slot].spans.last
    let hasRoom = room > 0 && live[slot].rawBytes <= LiveTrace.rawBytesMax
    let countMax = hasRoom ? limits.maxSpansPerTrace : 0
    for index in run {
      switch live.absorb(segmenter.record(index, of: request), into: slot, countMax: countMax, links: &links) {
      case .accepted: accepted.append(index)
      case .duplicate: report.duplicates &+= 1
      case .full: report.overBudget &+= 1
      }
    }
    guard !accepted.isEmpty else { return }
    report.accepted &+= accepted.count
    match(slot)
    live.touch(slot, now: now)
    guard keepsBytes else { return }
    if isKeeping, accepted.count == run.count {
      let byteCount = request.byteCount(accepted, accepted.indices)
      room &-= byteCount
      live.keep(run.indices, of: slot, after: last, byteCount: byteCount)
    } else {
      cutAccepted(of: request)
      live.append(&cut, to: slot, after: last, spans: accepted.count)
    }
  }

  /// Counts the links that have just been completed in a live trace.
  private mutating func match(_ slot: UInt32) {
    for link in links {
      let parent = live.record(link.parent).link
      let child = live.record(link.child).link
      flows.count(edge: parent, child)
      if let pair = flows.crossing(parent, child) {
        flows.count(crossing: pair, parent, child, isFirst: live.insert(pair: pair, to: slot))
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
      if room <= 0 {
        report.overBudget &+= 1
        continue
      }
      lateSpans.insert(span.spanID.rawValue, in: id, now: now)
      flows.count(late: span)
      matchLate(span, of: id, record, now)
      accepted.append(index)
    }
    report.late &+= accepted.count
    guard keepsBytes else { return }
    cutAccepted(of: request)
    report.latePayload.append(contentsOf: cut)
  }

  /// Copies the accepted spans out of a request, with what their resource and scope hold.
  private mutating func cutAccepted(of request: ReceivedRequest) {
    cut.removeAll(keepingCapacity: true)
    request.copy(accepted, accepted.indices, to: &cut)
    room &-= cut.count
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
