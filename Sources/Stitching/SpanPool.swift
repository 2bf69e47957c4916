internal import TraceWire

/// A parent and its child, as numbers of spans in a pool.
struct Link: Hashable, Sendable {
  var parent: UInt32
  var child: UInt32
}

/// The spans of one trace in a pool, in the order they came, and how many of them name a parent that is not there.
struct SpanList: Sendable {
  fileprivate(set) var first: UInt32 = .max
  fileprivate(set) var last: UInt32 = .max
  fileprivate(set) var count: UInt32 = 0
  fileprivate(set) var openEntries: UInt32 = 0
  /// The list's index in the pool; `.max` where it is short.
  fileprivate var index: UInt32 = .max

  init() {}
}

/// The facts of the spans of many traces. Each trace is a list, so that a span costs a record and nothing more.
struct SpanPool: Sendable {
  /// What became of a span that was offered.
  enum Absorbed {
    case accepted
    /// The list has a span with its ID.
    case duplicate
    /// The list or the pool takes no more.
    case full
  }

  /// Lists up to this size are searched from end to end, which is quicker than any index.
  private static let linearMax: UInt32 = 32

  private var spans = SpanRecords()
  private var origins: SpanOrigins
  private var indices = ChunkedArray<SpanIndex>()
  private var freeIndices = ChunkedArray<UInt32>()
  private var indexBytes = 0
  private let hash: KeyedHash

  init(hash: KeyedHash) {
    self.hash = hash
    origins = SpanOrigins(hash: hash)
  }

  var count: Int { spans.count }
  var byteCount: Int {
    spans.byteCount &+ origins.byteCount &+ indexBytes &+ indices.byteCount &+ freeIndices.byteCount
  }

  /// The facts of a span.
  @inline(__always) func record(_ number: UInt32) -> SpanRecord {
    let span = spans[number]
    return span.record(origins[span.origin])
  }

  /// What a list is charged with.
  @inline(__always) func heldBytes(_ list: SpanList) -> Int {
    let own = Int(list.count) &* SpanRecords.recordBytes
    return list.index == .max ? own : own &+ indices[Int(list.index)].byteCount
  }

  /// The facts of the spans of a list, in the order they came: of all, or of so many after this one.
  func read(
    _ list: SpanList, after last: UInt32 = .max, limit: Int = .max, into records: inout [SpanRecord]
  ) {
    records.removeAll(keepingCapacity: true)
    var number = last == .max ? list.first : spans.next(last)
    while number != .max, records.count < limit {
      records.append(record(number))
      number = spans.next(number)
    }
  }

  /// The facts of the spans of a list up to this one, in the order they came; none for `.max`.
  func read(_ list: SpanList, upTo last: UInt32, into records: inout [SpanRecord]) {
    records.removeAll(keepingCapacity: true)
    guard last != .max else { return }
    var number = list.first
    while number != last {
      records.append(record(number))
      number = spans.next(number)
    }
    records.append(record(last))
  }

  /// The span with this ID.
  @inline(__always) func find(_ id: SpanID, in list: SpanList) -> UInt32? {
    if list.index != .max { return indices[Int(list.index)].find(id, in: spans, hash: hash) }
    var number = list.first
    while number != .max {
      if spans[number].spanID == id { return number }
      number = spans.next(number)
    }
    return nil
  }

  /// Takes in a span whose ID is not there yet and adds the links it completes. Each link of a trace comes up once:
  /// when the second of its ends is taken in. A list has at most `countMax` spans.
  @inline(__always) mutating func absorb(
    _ span: SpanRecord, into list: inout SpanList, countMax: Int, links: inout [Link]
  ) -> Absorbed {
    let known = links.count
    // A span that names itself waits for nobody, but is no root either.
    let namesItself = span.parentID == span.spanID
    var parent = UInt32.max
    if list.index == .max {
      guard let found = meet(span, in: list, links: &links) else {
        links.removeLast(links.count &- known)
        return .duplicate
      }
      parent = found
    } else {
      guard find(span.spanID, in: list) == nil else { return .duplicate }
      if span.parentID.isValid, !namesItself { parent = find(span.parentID, in: list) ?? .max }
    }
    guard Int(list.count) < countMax, let origin = origins.retain(SpanOrigin(span.link)) else {
      links.removeLast(links.count &- known)
      return .full
    }
    var packed = PackedSpan(span, origin: origin)
    packed.flags = span.link.flags.intersection(.error)
    if parent != .max || namesItself { packed.flags.insert(.parentKnown) }
    append(packed, to: &list, parent: parent, known: known, links: &links)
    return .accepted
  }

  /// Looks for a span, its parent and its children in a short list, once through: the children's links are added with
  /// the number the span will have as their parent left open. `nil` where the span is there.
  @inline(__always) private func meet(_ span: SpanRecord, in list: SpanList, links: inout [Link]) -> UInt32? {
    var parent = UInt32.max
    var number = list.first
    let isEntryOpen = list.openEntries > 0
    while number != .max {
      let other = spans[number]
      if other.spanID == span.spanID { return nil }
      if other.spanID == span.parentID { parent = number }
      if isEntryOpen, other.parentID == span.spanID, other.isUnmatchedEntry {
        links.append(Link(parent: .max, child: number))
      }
      number = spans.next(number)
    }
    return parent
  }

  private mutating func append(
    _ packed: PackedSpan, to list: inout SpanList, parent: UInt32, known: Int, links: inout [Link]
  ) {
    let own = spans.add(packed)
    if list.last == .max { list.first = own } else { spans.setNext(list.last, own) }
    list.last = own
    list.count &+= 1
    if list.index != .max {
      indexBytes &-= indices[Int(list.index)].byteCount
      if list.openEntries > 0 {
        indices[Int(list.index)].takeWaiting(for: packed.spanID, in: spans, hash: hash) {
          links.append(Link(parent: own, child: $0))
        }
      }
      indices[Int(list.index)].append(own, waits: packed.isUnmatchedEntry, in: spans, hash: hash)
      indexBytes &+= indices[Int(list.index)].byteCount
    }
    for place in known..<links.count {
      links[place].parent = own
      spans.adopt(links[place].child)
    }
    list.openEntries &-= UInt32(truncatingIfNeeded: links.count &- known)
    if packed.isUnmatchedEntry { list.openEntries &+= 1 }
    if parent != .max { links.append(Link(parent: parent, child: own)) }
    if list.index == .max, list.count > Self.linearMax { buildIndex(of: &list) }
  }

  @inline(never) private mutating func buildIndex(of list: inout SpanList) {
    var index = SpanIndex()
    var number = list.first
    while number != .max {
      index.append(number, waits: spans[number].isUnmatchedEntry, in: spans, hash: hash)
      number = spans.next(number)
    }
    indexBytes &+= index.byteCount
    if let spare = freeIndices.popLast() {
      indices[Int(spare)] = index
      list.index = spare
    } else {
      list.index = UInt32(truncatingIfNeeded: indices.count)
      indices.append(index)
    }
  }

  /// Gives back the room of a list.
  mutating func remove(_ list: SpanList) {
    var number = list.first
    while number != .max {
      let next = spans.next(number)
      origins.release(spans[number].origin)
      spans.remove(number)
      number = next
    }
    guard list.index != .max else { return }
    indexBytes &-= indices[Int(list.index)].byteCount
    indices[Int(list.index)] = SpanIndex()
    freeIndices.append(list.index)
  }
}
