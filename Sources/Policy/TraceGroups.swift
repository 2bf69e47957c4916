internal import TraceWire

/// The spans of one request grouped by their trace: an open-addressing table that is reused from request to request.
struct TraceGroups: Sendable {
  /// One trace of the request.
  struct Group {
    var id: TraceID
    /// The most generous route of the trace, nil where it travels none.
    var decision: RouteDecision?
    /// How its spans are sampled.
    var sampling: SpanSampling
    /// The pair of regions that decided, as an index in the `PairTable`; meaningless without a decision.
    var pair: UInt32
  }

  /// Above so many traces the room is given back after the request.
  private static let keptMax = 1 << 16

  private let hash: KeyedHash
  private let unrouted: SpanSampling
  private var slots: [UInt32] = []
  private var mask = 0
  var groups: [Group] = []

  /// An empty table; `unrouted` is the sampling of traces that travel no route.
  init(unrouted: SpanSampling, hash: KeyedHash) {
    self.unrouted = unrouted
    self.hash = hash
  }

  /// Empties the table and makes room for as many traces as there are spans.
  mutating func reset(spans: Int) {
    if groups.capacity > Self.keptMax, spans <= Self.keptMax {
      groups = []
      slots = []
    }
    groups.removeAll(keepingCapacity: true)
    var size = 16
    while size < spans &* 2 { size &*= 2 }
    mask = size &- 1
    slots.fill(0, count: size)
  }

  /// The index of a trace's group, made where there is none.
  @inline(__always)
  mutating func index(of id: TraceID) -> Int {
    if let last = groups.last, last.id == id { return groups.count &- 1 }
    var slot = Int(truncatingIfNeeded: hash(id)) & mask
    while slots[slot] != 0 {
      let index = Int(slots[slot] &- 1)
      if groups[index].id == id { return index }
      slot = (slot &+ 1) & mask
    }
    groups.append(Group(id: id, decision: nil, sampling: unrouted, pair: 0))
    slots[slot] = UInt32(truncatingIfNeeded: groups.count)
    return groups.count &- 1
  }

  /// Notes that the trace travels a route; the more generous one stays.
  @inline(__always)
  mutating func join(_ decision: RouteDecision, pair: UInt32, at index: Int) {
    if let known = groups[index].decision, known.probability >= decision.probability { return }
    groups[index].decision = decision
    groups[index].pair = pair
  }
}
