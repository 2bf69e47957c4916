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
  private var ring: [Entry?] = []
  private var oldest: UInt32 = 0
  private(set) var count = 0
  /// How many were forgotten to make room.
  private(set) var evictions = 0

  init(capacity: Int, ttl: UInt64, hash: KeyedHash) {
    self.capacity = min(max(capacity, 1), 1 << 30)
    self.ttl = ttl
    self.hash = hash
  }

  var byteCount: Int { ring.capacity &* MemoryLayout<Entry?>.stride &+ index.byteCount }

  /// When the oldest is to be forgotten.
  var nextExpiry: UInt64? { count > 0 ? entry(oldest)?.expires : nil }

  func contains(_ word: UInt64, in trace: TraceID) -> Bool {
    index.find(hash.slot(trace, word)) { number in
      guard let entry = entry(number) else { return false }
      return entry.word == word && entry.traceID == trace
    } != nil
  }

  /// Adds a word that is not there.
  mutating func insert(_ word: UInt64, in trace: TraceID, now: UInt64) {
    if count >= capacity {
      forgetOldest()
      evictions &+= 1
    }
    if count >= ring.count { grow() }
    let number = oldest &+ UInt32(truncatingIfNeeded: count)
    ring[place(number)] = Entry(traceID: trace, word: word, expires: now.saturatingAdd(ttl))
    index.insert(hash.slot(trace, word), number)
    count &+= 1
  }

  /// Forgets what is past its time, at most `limit` of it.
  mutating func expire(now: UInt64, limit: Int) {
    var left = limit
    while left > 0, count > 0, let first = entry(oldest), first.expires <= now {
      forgetOldest()
      left &-= 1
    }
  }

  private func place(_ number: UInt32) -> Int { Int(number) & (ring.count &- 1) }
  private func entry(_ number: UInt32) -> Entry? { ring[place(number)] }

  private mutating func forgetOldest() {
    guard let first = entry(oldest) else { return }
    index.remove(hash.slot(first.traceID, first.word), oldest)
    ring[place(oldest)] = nil
    oldest &+= 1
    count &-= 1
  }

  private mutating func grow() {
    var larger = [Entry?](repeating: nil, count: max(16, ring.count &* 2))
    for step in 0..<count {
      let number = oldest &+ UInt32(truncatingIfNeeded: step)
      larger[Int(number) & (larger.count &- 1)] = entry(number)
    }
    ring = larger
  }
}
