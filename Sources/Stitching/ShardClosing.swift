/// Closing: on time, to make room, or for a drain.
extension ShardState {
  mutating func advance(_ now: UInt64) -> [ClosedTrace] {
    let now = tick(now)
    var traces: [ClosedTrace] = []
    // Closing keeps pace with opening, however much comes.
    let limit = max(limits.closedPerAdvance, 2 &* openedSinceAdvance)
    openedSinceAdvance = 0
    // Timers that only have to be armed again are work too.
    var left = limit &* 4
    var bytes = 0
    while traces.count < limit, bytes < limits.closedBytesPerAdvance, left > 0,
      let slot = live.fire(now: now)
    {
      left &-= 1
      let deadline = policy.deadline(firstSeen: live[slot].firstSeen, lastSeen: live[slot].lastSeen)
      if deadline > now {
        live.arm(slot, at: deadline)
      } else if asksBeforeClosing {
        ask(slot, early: nil, isArmed: false)
      } else {
        let trace = close(slot, isArmed: false, now)
        bytes &+= trace.payload.count &+ trace.heldBytes
        traces.append(trace)
      }
    }
    closed.expire(now: now, limit: limit &* 4)
    lateSpans.expire(now: now, limit: limit &* 4)
    latePairs.expire(now: now, limit: limit &* 4)
    halfLinks.expire(now: now, limit: limit &* 4)
    return traces
  }

  mutating func nextDeadline() -> UInt64? {
    let next = min(
      live.nextDeadline ?? .max, closed.nextExpiry ?? .max, lateSpans.nextExpiry ?? .max, latePairs.nextExpiry ?? .max,
      halfLinks.nextExpiry ?? .max)
    return next == .max ? nil : next
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
    var bytes = 0
    while traces.count < limit, bytes < limits.closedBytesPerAdvance || limit == .max, let slot = live.longestIdle {
      let trace = close(slot, early: .shutdown, now)
      bytes &+= trace.payload.count &+ trace.heldBytes
      traces.append(trace)
    }
    return traces
  }

  mutating func close(_ slot: UInt32, early reason: EarlyClosing, _ now: UInt64) -> ClosedTrace {
    earlyClosings[reason.rawValue] &+= 1
    return close(slot, isArmed: true, now)
  }

  /// Closes a trace: counts it, remembers what may still be asked for, and hands its bytes on.
  mutating func close(_ slot: UInt32, isArmed: Bool, _ now: UInt64) -> ClosedTrace {
    let id = live[slot].id
    live.read(slot, into: &closing)
    let summary = TraceSummary(closing)
    flows.count(closing: closing, summary)
    for span in closing { halfLinks.remember(span, in: id, now: now) }
    closed.remember(id, closing, live.pairs(slot), now: now)
    let payload = keepsBytes ? live.payload(slot, closing) : []
    return ClosedTrace(
      traceID: id, tenant: live[slot].tenant, payload: payload, spanCount: closing.count,
      isComplete: summary.isComplete,
      isCrossRegion: summary.isCrossRegion, heldBytes: live.remove(slot, isArmed: isArmed))
  }
}
