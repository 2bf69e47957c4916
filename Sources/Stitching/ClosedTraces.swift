internal import TraceWire

/// What is remembered of closed traces, to tell late spans and duplicates: the trace ID, the span IDs and the region
/// pairs that were counted. Two queues, one of records and one of the words they consist of, with the oldest going
/// first: after their time, or when records or bytes reach their cap.
struct ClosedTraces: Sendable {
  private struct Record {
    var traceID = TraceID()
    var expires: UInt64 = 0
    /// Where its words begin, counted from the first word ever.
    var words: UInt64 = 0
    var spanCount: UInt32 = 0
    var pairCount: UInt32 = 0
  }

  /// More words than this are sorted, so that a late span of a large trace costs a binary search.
  private static let linearMax = 32
  private static let bytesPerRecord = MemoryLayout<Record>.stride + 12

  private let capacity: Int
  private let bytesMax: Int
  private let ttl: UInt64
  private let hash: KeyedHash
  private var index = SlotIndex()
  /// Numbers in the index are the last 32 bits of those in the queue.
  private var records = ChunkedQueue<Record>()
  private var words = ChunkedQueue<UInt64>()
  private var scratch: [UInt64] = []
  /// How many were forgotten to make room.
  private(set) var evictions = 0

  init(capacity: Int, bytesMax: Int, ttl: UInt64, hash: KeyedHash) {
    self.capacity = min(max(capacity, 1), 1 << 30)
    self.bytesMax = bytesMax
    self.ttl = ttl
    self.hash = hash
  }

  var count: Int { records.count }
  var byteCount: Int { records.byteCount &+ words.byteCount &+ index.byteCount }

  /// When the oldest is to be forgotten.
  var nextExpiry: UInt64? { count > 0 ? records[records.first].expires : nil }

  /// The record of a closed trace.
  @inline(__always) func find(_ id: TraceID, now: UInt64) -> UInt32? {
    guard
      let found = index.find(hash.slot(id), { records[UInt64($0)].traceID == id }),
      records[UInt64(found)].expires > now
    else { return nil }
    return found
  }

  /// Whether the trace had this span when it closed.
  func contains(_ id: SpanID, in number: UInt32) -> Bool {
    let record = records[UInt64(number)]
    return contains(id.rawValue, in: record.words..<record.words &+ UInt64(record.spanCount))
  }

  /// Whether the trace had crossed between this pair of regions when it closed.
  func crossed(_ pair: UInt32, in number: UInt32) -> Bool {
    let record = records[UInt64(number)]
    let first = record.words &+ UInt64(record.spanCount)
    return contains(UInt64(pair), in: first..<first &+ UInt64(record.pairCount))
  }

  /// Remembers a trace that is not remembered.
  mutating func remember(_ id: TraceID, _ spans: [SpanRecord], _ pairs: [UInt32], now: UInt64) {
    var needed = spans.count &+ pairs.count
    // Of a trace that alone is past the cap only its ID is remembered.
    if needed &* 8 &+ Self.bytesPerRecord > bytesMax { needed = 0 }
    let others = bytesMax &- needed &* 8 &- Self.bytesPerRecord
    while count > 0, count >= capacity || count &* Self.bytesPerRecord &+ words.count &* 8 > others {
      forgetOldest()
      evictions &+= 1
    }
    var record = Record(traceID: id, expires: now.saturatingAdd(ttl), words: words.end)
    if needed > 0 {
      record.spanCount = UInt32(truncatingIfNeeded: spans.count)
      record.pairCount = UInt32(truncatingIfNeeded: pairs.count)
      append(spans.count) { words in for span in spans { words.append(span.spanID.rawValue) } }
      if pairs.count > 0 { append(pairs.count) { words in for pair in pairs { words.append(UInt64(pair)) } } }
    }
    let number = UInt32(truncatingIfNeeded: records.end)
    // A trace that came back after its time may still have its old record, which then has no ID any more.
    if let past = index.find(hash.slot(id), { records[UInt64($0)].traceID == id }) {
      index.replace(hash.slot(id), past, by: number)
      records[UInt64(past)].traceID = TraceID()
    } else {
      index.insert(hash.slot(id), number)
    }
    records.append(record)
  }

  /// Forgets what is past its time, at most `limit` traces.
  mutating func expire(now: UInt64, limit: Int) {
    var left = limit
    while left > 0, count > 0, records[records.first].expires <= now {
      forgetOldest()
      left &-= 1
    }
  }

  private mutating func forgetOldest() {
    let record = records[records.first]
    if record.traceID.isValid {
      index.remove(hash.slot(record.traceID), UInt32(truncatingIfNeeded: records.first))
    }
    words.removeFirst(Int(record.spanCount) &+ Int(record.pairCount))
    records.removeFirst()
  }

  private func contains(_ wanted: UInt64, in range: Range<UInt64>) -> Bool {
    var range = range
    while range.count > Self.linearMax {
      let middle = range.lowerBound &+ UInt64(range.count / 2)
      if words[middle] <= wanted { range = middle..<range.upperBound } else { range = range.lowerBound..<middle }
    }
    return range.contains { words[$0] == wanted }
  }

  /// Appends words, sorted where there are many.
  private mutating func append(_ count: Int, _ body: (inout [UInt64]) -> Void) {
    var own: [UInt64] = []
    swap(&own, &scratch)
    own.removeAll(keepingCapacity: own.capacity < 4096)
    body(&own)
    if count > Self.linearMax { own.sort() }
    for word in own { words.append(word) }
    swap(&own, &scratch)
  }
}
