internal import TraceWire

/// One trace that is being collected.
struct LiveTrace: Sendable {
  var id = TraceID()
  var firstSeen: UInt64 = 0
  var lastSeen: UInt64 = 0
  var segment = Segment()
  /// The spans' bytes: complete `resource_spans` fields, one after the other.
  var payload: [UInt8] = []
  var pairs = PairSet()
  /// Whether its closing was asked for: it is on no list and has no timer, and still takes spans.
  var isAsked = false
  /// Why it is to close before its time, where it was asked for that.
  var early: EarlyClosing?
  /// What it was charged with when it was asked for.
  var askedBytes = 0

  /// Bytes the trace is charged with: its room in the tables, its facts and its spans' bytes.
  @inline(__always) var heldBytes: Int { Self.overhead &+ segment.byteCount &+ payload.capacity &+ 32 }

  /// The trace itself, its list nodes and its slot in the index.
  private static let overhead = MemoryLayout<LiveTrace>.stride + 32
}

/// The table of live traces: a pool, an index by trace ID, the order of idleness, and a timer each.
struct LiveTraces: Sendable {
  private var index = SlotIndex()
  private var traces: [LiveTrace] = []
  private var free: [UInt32] = []
  /// From the one that was idle for longest to the one that was seen last.
  private var idle = SlotLists(lists: 1)
  private var wheel: TimingWheel
  private let hash: KeyedHash
  /// What all traces are charged with.
  private(set) var heldBytes = 0
  private(set) var spanCount = 0
  /// Traces whose closing was asked for, and what they were charged with then.
  private(set) var askedCount = 0
  private(set) var askedBytes = 0

  init(hash: KeyedHash, now: UInt64) {
    self.hash = hash
    wheel = TimingWheel(now: now)
  }

  var count: Int { traces.count &- free.count }
  /// Room of the tables that is not charged to a trace.
  var spareBytes: Int { free.count &* MemoryLayout<LiveTrace>.stride }
  var nextDeadline: UInt64? { wheel.nextDeadline }
  var longestIdle: UInt32? { idle.first() }

  subscript(_ slot: UInt32) -> LiveTrace {
    @inline(__always) _read { yield traces[Int(slot)] }
    @inline(__always) _modify { yield &traces[Int(slot)] }
  }

  @inline(__always) func find(_ id: TraceID) -> UInt32? {
    index.find(hash.slot(id)) { traces[Int($0)].id == id }
  }

  /// Opens a trace that is not there.
  mutating func open(_ id: TraceID, now: UInt64, deadline: UInt64) -> UInt32 {
    let slot: UInt32
    if let spare = free.popLast() {
      slot = spare
    } else {
      slot = UInt32(truncatingIfNeeded: traces.count)
      traces.append(LiveTrace())
      idle.reserve(entries: traces.count)
      wheel.reserve(timers: traces.count)
    }
    traces[Int(slot)].id = id
    traces[Int(slot)].firstSeen = now
    traces[Int(slot)].lastSeen = now
    index.insert(hash.slot(id), slot)
    idle.append(slot)
    wheel.arm(slot, at: deadline)
    heldBytes &+= traces[Int(slot)].heldBytes
    return slot
  }

  /// Books that a trace has grown from so many held bytes and spans.
  mutating func grew(_ slot: UInt32, fromBytes bytes: Int, fromSpans spans: Int, now: UInt64) {
    heldBytes &+= traces[Int(slot)].heldBytes &- bytes
    spanCount &+= traces[Int(slot)].segment.spans.count &- spans
    guard traces[Int(slot)].lastSeen != now else { return }
    traces[Int(slot)].lastSeen = now
    guard !traces[Int(slot)].isAsked else { return }
    idle.remove(slot)
    idle.append(slot)
  }

  /// Takes a trace out.
  mutating func take(_ slot: UInt32, isArmed: Bool) -> LiveTrace {
    var trace = LiveTrace()
    swap(&trace, &traces[Int(slot)])
    index.remove(hash.slot(trace.id), slot)
    if trace.isAsked {
      askedCount &-= 1
      askedBytes &-= trace.askedBytes
    } else {
      idle.remove(slot)
      if isArmed { wheel.disarm(slot) }
    }
    free.append(slot)
    heldBytes &-= trace.heldBytes
    spanCount &-= trace.segment.spans.count
    return trace
  }

  /// Sets a trace aside whose closing is asked for.
  mutating func ask(_ slot: UInt32, early: EarlyClosing?, isArmed: Bool) {
    idle.remove(slot)
    if isArmed { wheel.disarm(slot) }
    traces[Int(slot)].isAsked = true
    traces[Int(slot)].early = early
    traces[Int(slot)].askedBytes = traces[Int(slot)].heldBytes
    askedCount &+= 1
    askedBytes &+= traces[Int(slot)].askedBytes
  }

  /// Takes the question back: the trace is looked after again, as one that was seen last.
  mutating func unask(_ slot: UInt32, deadline: UInt64) {
    askedCount &-= 1
    askedBytes &-= traces[Int(slot)].askedBytes
    traces[Int(slot)].isAsked = false
    traces[Int(slot)].early = nil
    traces[Int(slot)].askedBytes = 0
    idle.append(slot)
    wheel.arm(slot, at: deadline)
  }

  /// The next trace whose timer has fired; it is to be taken or armed again.
  mutating func fire(now: UInt64) -> UInt32? { wheel.fire(now: now) }

  mutating func arm(_ slot: UInt32, at deadline: UInt64) { wheel.arm(slot, at: deadline) }
}
