internal import TraceWire

/// A set of words in traces that forgets: each after its time, and the oldest when there is one too many. Remembers
/// the span IDs (and, apart, the region pairs) that late spans add to closed traces.
struct RecentWords: Sendable {
  private struct Entry {
    var traceID: TraceID
    var word: UInt64
    var expires: UInt64
  }

  private let capacity: Int
  private let ttl: UInt64
  private let hash: KeyedHash
  private var index = SlotIndex()
  /// Numbers in the index are the last 32 bits of those in the queue.
  private var entries = ChunkedQueue<Entry>()
  /// How many were forgotten to make room.
  private(set) var evictions = 0

  init(capacity: Int, ttl: UInt64, hash: KeyedHash) {
    self.capacity = min(max(capacity, 1), 1 << 30)
    self.ttl = ttl
    self.hash = hash
  }

  var count: Int { entries.count }
  var byteCount: Int { entries.byteCount &+ index.byteCount }

  /// When the oldest is to be forgotten.
  var nextExpiry: UInt64? { count > 0 ? entries[entries.first].expires : nil }

  func contains(_ word: UInt64, in trace: TraceID) -> Bool {
    index.find(hash.slot(trace, word)) { number in
      let entry = entries[UInt64(number)]
      return entry.word == word && entry.traceID == trace
    } != nil
  }

  /// Adds a word that is not there.
  mutating func insert(_ word: UInt64, in trace: TraceID, now: UInt64) {
    if count >= capacity {
      forgetOldest()
      evictions &+= 1
    }
    index.insert(hash.slot(trace, word), UInt32(truncatingIfNeeded: entries.end))
    entries.append(Entry(traceID: trace, word: word, expires: now.saturatingAdd(ttl)))
  }

  /// Forgets what is past its time, at most `limit` of it.
  mutating func expire(now: UInt64, limit: Int) {
    var left = limit
    while left > 0, count > 0, entries[entries.first].expires <= now {
      forgetOldest()
      left &-= 1
    }
  }

  private mutating func forgetOldest() {
    let oldest = entries[entries.first]
    index.remove(hash.slot(oldest.traceID, oldest.word), UInt32(truncatingIfNeeded: entries.first))
    entries.removeFirst()
  }
}
