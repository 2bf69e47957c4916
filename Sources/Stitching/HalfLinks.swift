internal import TraceWire

/// Ends of links that outlive their trace and wait for the other end: client and producer spans for their children,
/// entry spans for their parent. Bounded: one too many forgets the oldest. An entry leaves when its parent comes, a
/// parent stays for further children.
struct HalfLinks: Sendable {
  /// What a remembered end waits for.
  enum Side: UInt64 {
    case children
    case parent
  }

  private struct Half {
    var traceID: TraceID
    /// The span's own ID, or its parent's where it waits for that.
    var spanID: SpanID
    var side: Side
    var end: LinkEnd
    var expires: UInt64
    /// The next of those that wait for the same parent, which are in a list from the oldest to the newest.
    var younger: UInt32 = .max
    /// The list's newest; kept in its oldest.
    var youngest: UInt32
  }

  private let capacity: Int
  private let ttl: UInt64
  private let hash: KeyedHash
  private var index = SlotIndex()
  private var halves = ChunkedArray<Half>()
  private var free = ChunkedArray<UInt32>()
  /// From the oldest to the newest.
  private var ages = SlotLists(lists: 1)
  /// How many were forgotten to make room.
  private(set) var evictions = 0

  init(capacity: Int, ttl: UInt64, hash: KeyedHash) {
    self.capacity = min(max(capacity, 0), 1 << 30)
    self.ttl = ttl
    self.hash = hash
  }

  var count: Int { halves.count &- free.count }

  var byteCount: Int { halves.byteCount &+ free.byteCount &+ index.byteCount &+ ages.byteCount }

  /// When the oldest is to be forgotten.
  var nextExpiry: UInt64? { ages.first().map { halves[Int($0)].expires } }

  /// Remembers the ends of a span that wait.
  mutating func remember(_ span: SpanRecord, in trace: TraceID, now: UInt64) {
    if span.isExit { add(trace, span.spanID, .children, span.link, now) }
    if span.isUnmatchedEntry { add(trace, span.parentID, .parent, span.link, now) }
  }

  /// The remembered parent of a span.
  func parent(_ id: SpanID, in trace: TraceID, now: UInt64) -> LinkEnd? {
    guard let found = find(trace, id, .children), halves[Int(found)].expires > now else { return nil }
    return halves[Int(found)].end
  }

  /// The remembered children of a span, which stop to wait.
  mutating func takeChildren(of id: SpanID, in trace: TraceID, now: UInt64, into found: inout [LinkEnd]) {
    guard var child = find(trace, id, .parent) else { return }
    index.remove(slot(trace, id, .parent), child)
    while child != .max {
      let half = halves[Int(child)]
      if half.expires > now { found.append(half.end) }
      release(child)
      child = half.younger
    }
  }

  /// Forgets what is past its time, at most `limit` of it.
  mutating func expire(now: UInt64, limit: Int) {
    var left = limit
    while left > 0, let oldest = ages.first(), halves[Int(oldest)].expires <= now {
      forget(oldest)
      left &-= 1
    }
  }

  private func slot(_ trace: TraceID, _ id: SpanID, _ side: Side) -> UInt32 {
    hash.slot(trace, id.rawValue) ^ (side == .parent ? 0x5bd1_e995 : 0)
  }

  private func find(_ trace: TraceID, _ id: SpanID, _ side: Side) -> UInt32? {
    index.find(slot(trace, id, side)) { entry in
      let half = halves[Int(entry)]
      return half.traceID == trace && half.spanID == id && half.side == side
    }
  }

  private mutating func add(_ trace: TraceID, _ id: SpanID, _ side: Side, _ end: LinkEnd, _ now: UInt64) {
    guard capacity > 0, ttl > 0 else { return }
    if count >= capacity, let oldest = ages.first() {
      forget(oldest)
      evictions &+= 1
    }
    let entry = free.popLast() ?? UInt32(truncatingIfNeeded: halves.count)
    let half = Half(
      traceID: trace, spanID: id, side: side, end: end, expires: now.saturatingAdd(ttl), youngest: entry)
    // Looked for before the new one is in place, which may be an entry the index still knows as free.
    let oldest = find(trace, id, side)
    if Int(entry) < halves.count {
      halves[Int(entry)] = half
    } else {
      halves.append(half)
      ages.reserve(entries: halves.count)
    }
    ages.append(entry)
    if let oldest {
      halves[Int(halves[Int(oldest)].youngest)].younger = entry
      halves[Int(oldest)].youngest = entry
    } else {
      index.insert(slot(trace, id, side), entry)
    }
  }

  /// Forgets the oldest of all, which is also the oldest of those that wait for the same.
  private mutating func forget(_ oldest: UInt32) {
    let half = halves[Int(oldest)]
    let slot = slot(half.traceID, half.spanID, half.side)
    if half.younger == .max {
      index.remove(slot, oldest)
    } else {
      halves[Int(half.younger)].youngest = half.youngest
      index.replace(slot, oldest, by: half.younger)
    }
    release(oldest)
  }

  private mutating func release(_ entry: UInt32) {
    ages.remove(entry)
    free.append(entry)
  }
}
