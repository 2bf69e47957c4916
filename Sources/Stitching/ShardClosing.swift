/// Closing: on time, to make room, or for a drain.
extension ShardState {
  mutating func advance(_ now: UInt64) -> Closing {
    let now = tick(now)
    var closing = Closing()
    var count = 0
    // Closing keeps pace with opening, however much comes.
    let limit = max(limits.closedPerAdvance, 2 &* openedSinceAdvance)
    openedSinceAdvance = 0
    // Timers that only have to be armed again are work too.
    var left = limit &* 4
    var bytes = 0
    while count < limit, bytes < limits.closedBytesPerAdvance, left > 0,
      let slot = live.fire(now: now)
    {
      left &-= 1
      let deadline = policy.deadline(firstSeen: live[slot].firstSeen, lastSeen: live[slot].lastSeen)
      if deadline > now {
        live.arm(slot, at: deadline)
      } else if asksBeforeClosing {
        ask(slot, early: nil, isArmed: false)
      } else {
        bytes &+= Int(live[slot].rawBytes)
        bytes &+= close(slot, isArmed: false, now, into: &closing)
        count &+= 1
      }
    }
    finish(&closing)
    closed.expire(now: now, limit: limit &* 4)
    lateSpans.expire(now: now, limit: limit &* 4)
    latePairs.expire(now: now, limit: limit &* 4)
    halfLinks.expire(now: now, limit: limit &* 4)
    return closing
  }

  mutating func nextDeadline() -> UInt64? {
    let next = min(
      live.nextDeadline ?? .max, closed.nextExpiry ?? .max, lateSpans.nextExpiry ?? .max, latePairs.nextExpiry ?? .max,
      halfLinks.nextExpiry ?? .max)
    return next == .max ? nil : next
  }

  mutating func closeOldest(untilHeldBytes target: Int, _ now: UInt64) -> Closing {
    let now = tick(now)
    var closing = Closing()
    while live.heldBytes > target, let slot = live.longestIdle { close(slot, early: .memory, now, into: &closing) }
    finish(&closing)
    return closing
  }

  mutating func closeAll(_ now: UInt64, _ limit: Int) -> Closing {
    let now = tick(now)
    var closing = Closing()
    var (count, bytes) = (0, 0)
    while count < limit, bytes < limits.closedBytesPerAdvance || limit == .max, let slot = live.longestIdle {
      bytes &+= Int(live[slot].rawBytes)
      bytes &+= close(slot, early: .shutdown, now, into: &closing)
      count &+= 1
    }
    finish(&closing)
    return closing
  }

  @discardableResult
  mutating func close(_ slot: UInt32, early reason: EarlyClosing, _ now: UInt64, into closing: inout Closing) -> Int {
    earlyClosings[reason.rawValue] &+= 1
    return close(slot, isArmed: true, now, into: &closing)
  }

  /// Closes a trace: counts it, remembers what may still be asked for, and hands its bytes on, some of them not before
  /// `finish`.
  /// - Returns: what it was charged with.
  @discardableResult
  mutating func close(_ slot: UInt32, isArmed: Bool, _ now: UInt64, into closing: inout Closing) -> Int {
    let (id, tenant) = (live[slot].id, live[slot].tenant)
    live.read(slot, into: &closingSpans)
    let summary = TraceSummary(closingSpans)
    flows.count(closing: closingSpans, summary)
    for span in closingSpans { halfLinks.remember(span, in: id, now: now) }
    closed.remember(id, closingSpans, live.pairs(slot), now: now)
    if !takesMore(closing, of: tenant) {
      finish(&closing)
      closing.parts.append(Closing.Part(tenant: tenant))
    }
    let part = closing.parts.count &- 1
    if keepsBytes { live.handOn(slot, closingSpans, to: &closing.parts[part].payload) }
    let heldBytes = live.remove(slot, isArmed: isArmed)
    closing.parts[part].spanCount &+= closingSpans.count
    closing.parts[part].traces.append(
      ClosedTrace(
        traceID: id, tenant: tenant, spanCount: closingSpans.count, isComplete: summary.isComplete,
        isCrossRegion: summary.isCrossRegion, heldBytes: heldBytes))
    return heldBytes
  }

  /// Whether the last part of a closing is this tenant's and not large yet.
  private func takesMore(_ closing: Closing, of tenant: UInt16) -> Bool {
    guard let part = closing.parts.last, part.tenant == tenant, part.spanCount < Closing.partSpansMax else {
      return false
    }
    return part.payload.count &+ live.young.wantedBytes < limits.closedBytesPerAdvance
  }

  /// Writes what is not yet written of traces that closed.
  mutating func finish(_ closing: inout Closing) {
    guard let part = closing.parts.indices.last else { return }
    live.young.write(to: &closing.parts[part].payload)
  }
}
