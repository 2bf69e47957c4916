internal import TraceWire

/// Closing where somebody else has the last word, a journal for instance: the shard asks, and goes on collecting until
/// it is told. So what a trace is made of depends on the order of batches and closings alone, which a journal keeps.
extension ShardState {
  /// Asks for the closing of a trace.
  mutating func ask(_ slot: UInt32, early: EarlyClosing?, isArmed: Bool) {
    questions.append(live[slot].id)
    live.ask(slot, early: early, isArmed: isArmed)
  }

  /// Asks for as many closings as would lead back below the caps.
  mutating func askForRoom() {
    packForRoom()
    while live.heldBytes &- live.askedBytes > limits.memoryBytesMax, let slot = live.longestIdle {
      ask(slot, early: .memory, isArmed: true)
    }
    while live.count &- live.askedCount > limits.maxLiveTraces, let slot = live.longestIdle {
      ask(slot, early: .maxLiveTraces, isArmed: true)
    }
  }

  /// Closes the traces that are live.
  mutating func close(_ ids: [TraceID], _ now: UInt64) -> Closing {
    let now = tick(now)
    var closing = Closing()
    for id in ids {
      guard let slot = live.find(id) else { continue }
      if let reason = live[slot].early {
        close(slot, early: reason, now, into: &closing)
      } else {
        close(slot, isArmed: true, now, into: &closing)
      }
    }
    finish(&closing)
    return closing
  }

  /// Looks after traces again whose closing could not be said.
  mutating func keepOpen(_ ids: [TraceID], _ now: UInt64) {
    let now = tick(now)
    for id in ids {
      guard let slot = live.find(id), live[slot].isAsked else { continue }
      live.unask(slot, deadline: policy.deadline(firstSeen: now, lastSeen: now))
    }
  }

  /// Remembers a closed trace that is neither live nor remembered.
  mutating func rememberClosed(_ id: TraceID, _ now: UInt64) {
    let now = tick(now)
    guard live.find(id) == nil, closed.find(id, now: now) == nil else { return }
    closed.remember(id, [], [], now: now)
  }

  mutating func forgetCounts() {
    flows.reset()
    earlyClosings = [UInt64](repeating: 0, count: EarlyClosing.allCases.count)
    duplicates = 0
    overBudget = 0
  }
}
