internal import TraceWire

/// Finds spans of a large trace by their ID, and those that wait for a parent by the parent's ID.
struct SpanIndex: Sendable {
  private var byID = SlotIndex()
  /// The last span that waits for each missing parent; `older` leads to the others.
  private var waiting = SlotIndex()
  private var older: [UInt32] = []

  var byteCount: Int { byID.byteCount &+ waiting.byteCount &+ older.capacity &* 4 }

  func find(_ id: SpanID, in spans: [SpanRecord], hash: KeyedHash) -> UInt32? {
    byID.find(hash.slot(id)) { spans[Int($0)].spanID == id }
  }

  /// Takes in the span that was appended last.
  mutating func append(_ span: SpanRecord, at index: UInt32, hash: KeyedHash) {
    byID.insert(hash.slot(span.spanID), index)
    older.append(.max)
  }

  /// Remembers that a span waits for its parent.
  mutating func wait(_ index: UInt32, in spans: [SpanRecord], hash: KeyedHash) {
    let parent = spans[Int(index)].parentID
    let slot = hash.slot(parent)
    if let head = waiting.find(slot, { spans[Int($0)].parentID == parent }) {
      older[Int(index)] = head
      waiting.replace(slot, head, by: index)
    } else {
      older[Int(index)] = .max
      waiting.insert(slot, index)
    }
  }

  /// The spans that wait for this parent, which stop to wait.
  mutating func takeWaiting(for parent: SpanID, in spans: [SpanRecord], hash: KeyedHash, _ found: (UInt32) -> Void) {
    let slot = hash.slot(parent)
    guard let head = waiting.find(slot, { spans[Int($0)].parentID == parent }) else { return }
    waiting.remove(slot, head)
    var next = head
    while next != .max {
      found(next)
      next = older[Int(next)]
    }
  }
}
