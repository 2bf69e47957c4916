internal import TraceWire

/// What one holder knows of one trace: its spans' facts, each span ID once, and which ends are open. Merging segments
/// is associative, commutative and idempotent, so that it does not matter who knew what first. A shard holds those of
/// its live traces in one `SpanPool`; a `Segment` has a pool of its own.
struct Segment: Sendable {
  private let hash: KeyedHash
  private var pool: SpanPool
  private var list = SpanList()

  init(hash: KeyedHash) {
    self.hash = hash
    pool = SpanPool(hash: hash)
  }

  /// In the order they came; a `Link`'s numbers are places here.
  var spans: [SpanRecord] {
    var records: [SpanRecord] = []
    pool.read(list, into: &records)
    return records
  }

  /// Spans that name a parent which is not here.
  var openEntries: Int { Int(list.openEntries) }

  /// Takes in a span unless its ID is here already, and adds the links it completes.
  mutating func absorb(_ span: SpanRecord, links: inout [Link]) {
    _ = pool.absorb(span, into: &list, countMax: .max, links: &links)
  }

  /// Takes in all of another segment of the same trace and returns the links that this completes. Where the two
  /// disagree about a span, what comes first in a fixed order holds.
  @discardableResult mutating func merge(_ other: Segment) -> [Link] {
    var links: [Link] = []
    var all = spans
    var disagree = false
    for span in other.spans {
      guard let own = pool.find(span.spanID, in: list) else {
        absorb(span, links: &links)
        all.append(span)
        continue
      }
      guard SpanRecord.precedes(span, all[Int(own)]) else { continue }
      all[Int(own)] = span
      disagree = true
    }
    guard disagree else { return links }
    self = Segment(hash: hash)
    links.removeAll()
    for span in all { absorb(span, links: &links) }
    return links
  }
}

extension Segment: Equatable {
  /// Whether both know the same, in whatever order it came.
  static func == (left: Segment, right: Segment) -> Bool {
    let (mine, others) = (left.spans, right.spans)
    return mine.count == others.count && Set(mine) == Set(others)
  }
}
