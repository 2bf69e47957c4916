internal import TraceWire

/// One trace that is being collected: 96 bytes without references. Its spans' facts and bytes lie apart from it and
/// from each other.
struct LiveTrace: Sendable {
  var id = TraceID()
  var firstSeen: UInt64 = 0
  var lastSeen: UInt64 = 0
  var pairs = PairSet()
  var spans = SpanList()
  /// The bytes of its first spans.
  var slices = StoredSlices()
  /// The bytes of its other spans.
  var young = YoungSpans.Runs()
  /// Length of all of that when it is handed on.
  var rawBytes: UInt32 = 0
  /// Whether its slices are kept as they came, because their spans are not those that its facts are of.
  var isUnmasked = false
  /// Whether its closing was asked for.
  var asking = Asking.no
  /// Whose it is, as a number; 0 for nobody's.
  var tenant: UInt16 = 0

  /// Whether a trace's closing was asked for, and why. One byte, so that a trace stays as small as it is.
  enum Asking: Equatable {
    case no
    case inTime
    case early(EarlyClosing)
  }

  /// Whether its closing was asked for: it is on no list and has no timer, and still takes spans.
  var isAsked: Bool { asking != .no }
  /// Why it is to close before its time, where it was asked for that.
  var early: EarlyClosing? { if case .early(let reason) = asking { reason } else { nil } }

  /// A trace with more bytes takes no more spans: it could not be handed on either.
  static let rawBytesMax: UInt32 = 1 << 30

  /// A trace without its spans: itself, its list nodes and its slot in the index.
  static let overhead = MemoryLayout<LiveTrace>.stride + 40
}

/// The table of live traces: a pool, an index by trace ID, the order of idleness, and a timer each; and what they
/// consist of.
struct LiveTraces {
  private var index = SlotIndex()
  var traces = ChunkedArray<LiveTrace>()
  private var free = ChunkedArray<UInt32>()
  /// From the one that was idle for longest to the one that was seen last.
  private var idle = SlotLists(lists: 1)
  private var wheel: TimingWheel
  var pool: SpanPool
  var store: SpanStore
  var young = YoungSpans()
  var mask = SpanMask()
  /// The spans whose bytes are being packed.
  var packedSpans: [SpanRecord] = []
  var packedBytes: [UInt8] = []
  private var far = FarPairs()
  private let hash: KeyedHash
  /// What all traces are charged with.
  private(set) var heldBytes = 0
  /// Traces whose closing was asked for, and what they are charged with.
  private(set) var askedCount = 0
  private(set) var askedBytes = 0

  init(hash: KeyedHash, spanHash: KeyedHash, blockBytes: Int, now: UInt64) {
    self.hash = hash
    wheel = TimingWheel(now: now)
    pool = SpanPool(hash: spanHash)
    store = SpanStore(blockBytes: blockBytes)
  }

  var count: Int { traces.count &- free.count }
  var spanCount: Int { pool.count }
  /// Bytes of everything: what traces are charged with, what is free between them, and what all need together.
  var byteCount: Int {
    traces.byteCount &+ free.byteCount &+ index.byteCount &+ idle.byteCount &+ wheel.byteCount &+ pool.byteCount
      &+ store.byteCount &+ young.byteCount
  }
  var nextDeadline: UInt64? { wheel.nextDeadline }
  var longestIdle: UInt32? { idle.first() }

  @inline(__always) subscript(_ slot: UInt32) -> LiveTrace { traces[Int(slot)] }

  @inline(__always) func find(_ id: TraceID) -> UInt32? {
    index.find(hash.slot(id)) { traces[Int($0)].id == id }
  }

  // MARK: Opening, growing and closing

  /// Opens a trace that is not there.
  mutating func open(_ id: TraceID, tenant: UInt16 = 0, now: UInt64, deadline: UInt64) -> UInt32 {
    var trace = LiveTrace()
    trace.id = id
    trace.tenant = tenant
    trace.firstSeen = now
    trace.lastSeen = now
    let slot: UInt32
    if let spare = free.popLast() {
      slot = spare
      traces[Int(slot)] = trace
    } else {
      slot = UInt32(truncatingIfNeeded: traces.count)
      traces.append(trace)
      idle.reserve(entries: traces.count)
      wheel.reserve(timers: traces.count)
    }
    index.insert(hash.slot(id), slot)
    idle.append(slot)
    wheel.arm(slot, at: deadline)
    heldBytes &+= LiveTrace.overhead
    return slot
  }

  /// Takes in a span unless its trace has it, or has so many that it takes no more.
  @inline(__always) mutating func absorb(
    _ span: SpanRecord, into slot: UInt32, countMax: Int, links: inout [Link]
  ) -> SpanPool.Absorbed {
    let before = pool.heldBytes(traces[Int(slot)].spans)
    let result = pool.absorb(span, into: &traces[Int(slot)].spans, countMax: countMax, links: &links)
    charge(slot, pool.heldBytes(traces[Int(slot)].spans) &- before)
    return result
  }

  /// Notes that a span of the trace has just come.
  @inline(__always) mutating func touch(_ slot: UInt32, now: UInt64) {
    guard traces[Int(slot)].lastSeen != now else { return }
    traces[Int(slot)].lastSeen = now
    guard !traces[Int(slot)].isAsked else { return }
    idle.remove(slot)
    idle.append(slot)
  }

  /// Adds a pair that the trace has crossed between; whether it is new.
  mutating func insert(pair: UInt32, to slot: UInt32) -> Bool {
    let before = far.heldBytes(traces[Int(slot)].pairs)
    let isNew = far.insert(pair, to: &traces[Int(slot)].pairs)
    charge(slot, far.heldBytes(traces[Int(slot)].pairs) &- before)
    return isNew
  }

  /// Takes a trace out; what its spans are is to be read before.
  /// - Returns: what it was charged with.
  mutating func remove(_ slot: UInt32, isArmed: Bool) -> Int {
    let trace = traces[Int(slot)]
    let charged = charged(slot)
    index.remove(hash.slot(trace.id), slot)
    if trace.isAsked {
      askedCount &-= 1
      askedBytes &-= charged
    } else {
      idle.remove(slot)
      if isArmed { wheel.disarm(slot) }
    }
    heldBytes &-= charged
    pool.remove(trace.spans)
    store.remove(trace.slices)
    young.remove(trace.young)
    far.remove(trace.pairs)
    free.append(slot)
    return charged
  }

  private func charged(_ slot: UInt32) -> Int {
    let trace = traces[Int(slot)]
    return LiveTrace.overhead &+ pool.heldBytes(trace.spans) &+ store.heldBytes(trace.slices)
      &+ far.heldBytes(trace.pairs) &+ young.measure(trace.young).heldBytes
  }

  mutating func charge(_ slot: UInt32, _ bytes: Int) {
    heldBytes &+= bytes
    if traces[Int(slot)].isAsked { askedBytes &+= bytes }
  }

  // MARK: What a trace consists of

  /// The facts of a span, as a `Link` names it.
  @inline(__always) func record(_ number: UInt32) -> SpanRecord { pool.record(number) }

  /// The facts of all spans of a trace, in the order they came.
  func read(_ slot: UInt32, into records: inout [SpanRecord]) { pool.read(traces[Int(slot)].spans, into: &records) }

  /// The pairs that it has crossed between.
  func pairs(_ slot: UInt32) -> [UInt32] { far.read(traces[Int(slot)].pairs) }

  // MARK: Timers and questions

  /// Takes all traces for seen now. Their timers find that out when they fire.
  mutating func wake(_ now: UInt64) {
    var slot = idle.first()
    while let current = slot {
      traces[Int(current)].lastSeen = now
      slot = idle.next(current)
    }
  }

  /// The next trace whose timer has fired; it is to be removed, asked for or armed again.
  mutating func fire(now: UInt64) -> UInt32? { wheel.fire(now: now) }

  mutating func arm(_ slot: UInt32, at deadline: UInt64) { wheel.arm(slot, at: deadline) }

  /// Sets a trace aside whose closing is asked for.
  mutating func ask(_ slot: UInt32, early: EarlyClosing?, isArmed: Bool) {
    idle.remove(slot)
    if isArmed { wheel.disarm(slot) }
    traces[Int(slot)].asking = early.map { .early($0) } ?? .inTime
    askedCount &+= 1
    askedBytes &+= charged(slot)
  }

  /// Takes the question back: the trace is looked after again, as one that was seen last.
  mutating func unask(_ slot: UInt32, deadline: UInt64) {
    askedCount &-= 1
    askedBytes &-= charged(slot)
    traces[Int(slot)].asking = .no
    idle.append(slot)
    wheel.arm(slot, at: deadline)
  }
}
