internal import TraceWire

/// A parent and its child, as indices in a segment.
struct Link: Hashable, Sendable {
  var parent: UInt32
  var child: UInt32
}

/// What one holder knows of one trace: its spans' facts, each span ID once, and which ends are open. Merging segments
/// is associative, commutative and idempotent, so that it does not matter who knew what first.
struct Segment: Sendable {
  /// Traces up to this size are searched from end to end, which is quicker than any index.
  private static let linearMax = 32

  /// In the order they came.
  private(set) var spans: [SpanRecord] = []
  /// Spans that name a parent which is not here.
  private(set) var openEntries = 0
  /// None, or one where the trace is large: most traces pay one word for it.
  private var index: [SpanIndex] = []

  init() {}

  /// Bytes besides the segment itself.
  @inline(__always) var byteCount: Int {
    let own = spans.capacity &* MemoryLayout<SpanRecord>.stride &+ 32
    return index.isEmpty ? own : own &+ index[0].byteCount
  }

  /// Makes exact room in an empty segment, for the common trace that comes in one piece.
  @inline(__always) mutating func reserve(_ count: Int) {
    if spans.isEmpty { spans.reserveCapacity(count) }
  }

  /// The span with this ID.
  @inline(__always) func find(_ id: SpanID, hash: KeyedHash) -> UInt32? {
    if !index.isEmpty { return index[0].find(id, in: spans, hash: hash) }
    for position in spans.indices where spans[position].spanID == id { return UInt32(truncatingIfNeeded: position) }
    return nil
  }

  /// Takes in a span whose ID is not here yet and adds the links it completes. Each link of a trace comes up once:
  /// when the second of its ends is taken in.
  mutating func absorb(_ span: SpanRecord, hash: KeyedHash, links: inout [Link]) {
    let own = UInt32(truncatingIfNeeded: spans.count)
    var span = span
    span.link.flags.remove(.parentKnown)
    var parent: UInt32?
    if span.parentID == span.spanID {
      // A span that names itself waits for nobody, but is no root either.
      span.link.flags.insert(.parentKnown)
    } else if span.parentID.isValid {
      parent = find(span.parentID, hash: hash)
      if parent != nil { span.link.flags.insert(.parentKnown) }
    }
    spans.append(span)
    if let parent { links.append(Link(parent: parent, child: own)) }
    if index.isEmpty, spans.count > Self.linearMax {
      buildIndex(hash: hash)
    } else if !index.isEmpty {
      index[0].append(span, at: own, hash: hash)
    }
    if openEntries > 0 { adopt(own, span.spanID, hash: hash, links: &links) }
    if span.isUnmatchedEntry {
      openEntries &+= 1
      if !index.isEmpty { index[0].wait(own, in: spans, hash: hash) }
    }
  }

  /// Links the spans that wait for the span that came last.
  @inline(__always) private mutating func adopt(
    _ own: UInt32, _ id: SpanID, hash: KeyedHash, links: inout [Link]
  ) {
    let known = links.count
    if index.isEmpty {
      for child in 0..<own where spans[Int(child)].parentID == id && spans[Int(child)].isUnmatchedEntry {
        links.append(Link(parent: own, child: child))
      }
    } else {
      index[0].takeWaiting(for: id, in: spans, hash: hash) { links.append(Link(parent: own, child: $0)) }
    }
    for link in links[known...] { spans[Int(link.child)].link.flags.insert(.parentKnown) }
    openEntries &-= links.count &- known
  }

  private mutating func buildIndex(hash: KeyedHash) {
    var fresh = SpanIndex()
    for position in spans.indices { fresh.append(spans[position], at: UInt32(position), hash: hash) }
    // The last one is seen to by `absorb`.
    for position in spans.indices.dropLast() where spans[position].isUnmatchedEntry {
      fresh.wait(UInt32(position), in: spans, hash: hash)
    }
    index = [fresh]
  }

  /// Takes in all of another segment of the same trace and returns the links that this completes. Where the two
  /// disagree about a span, what comes first in a fixed order holds.
  @discardableResult mutating func merge(_ other: Segment, hash: KeyedHash) -> [Link] {
    var links: [Link] = []
    var disagree = false
    for span in other.spans {
      guard let own = find(span.spanID, hash: hash) else {
        absorb(span, hash: hash, links: &links)
        continue
      }
      guard SpanRecord.precedes(span, spans[Int(own)]) else { continue }
      spans[Int(own)] = span
      disagree = true
    }
    guard disagree else { return links }
    let all = spans
    self = Segment()
    links.removeAll()
    for span in all { absorb(span, hash: hash, links: &links) }
    return links
  }
}

extension Segment: Equatable {
  /// Whether both know the same, in whatever order it came.
  static func == (left: Segment, right: Segment) -> Bool {
    left.spans.count == right.spans.count && Set(left.spans) == Set(right.spans)
  }
}
