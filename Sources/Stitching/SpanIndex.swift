internal import TraceWire

/// Finds spans of a large trace by their ID, and those that wait for a parent by the parent's ID.
struct SpanIndex: Sendable {
  private struct Entry: Sendable {
    /// The span's number in the records.
    var span: UInt32
    /// The entry that waits for the same parent and came before.
    var older: UInt32 = .max
  }

  /// In the order the spans came.
  private var entries = ChunkedArray<Entry>()
  /// By span ID.
  private var byID = SlotIndex()
  /// The last entry that waits for each missing parent; `older` leads to the others.
  private var waiting = SlotIndex()

  var byteCount: Int { byID.byteCount &+ waiting.byteCount &+ entries.byteCount }

  func find(_ id: SpanID, in spans: SpanRecords, hash: KeyedHash) -> UInt32? {
    byID.find(hash.slot(id)) { spans[entries[Int($0)].span].spanID == id }.map { entries[Int($0)].span }
  }

  /// Takes in a span, which waits for its parent or not.
  mutating func append(_ number: UInt32, waits: Bool, in spans: SpanRecords, hash: KeyedHash) {
    let own = UInt32(truncatingIfNeeded: entries.count)
    entries.append(Entry(span: number))
    byID.insert(hash.slot(spans[number].spanID), own)
    guard waits else { return }
    let parent = spans[number].parentID
    let slot = hash.slot(parent)
    if let head = head(parent, slot, in: spans) {
      entries[Int(own)].older = head
      waiting.replace(slot, head, by: own)
    } else {
      waiting.insert(slot, own)
    }
  }

  /// The spans that wait for this parent, which stop to wait.
  mutating func takeWaiting(for parent: SpanID, in spans: SpanRecords, hash: KeyedHash, _ found: (UInt32) -> Void) {
    let slot = hash.slot(parent)
    guard let head = head(parent, slot, in: spans) else { return }
    waiting.remove(slot, head)
    var next = head
    while next != .max {
      found(entries[Int(next)].span)
      next = entries[Int(next)].older
    }
  }

  private func head(_ parent: SpanID, _ slot: UInt32, in spans: SpanRecords) -> UInt32? {
    waiting.find(slot) { spans[entries[Int($0)].span].parentID == parent }
  }
}
