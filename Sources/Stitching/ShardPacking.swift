internal import TraceWire

/// Young spans wait in the requests that brought them; what is old, or too much, is packed. Taking in packs about as
/// much as it brings, so that the rest is never a long piece of work.
extension ShardState {
  /// Bytes of requests that are kept, in proportion to the limit of what is held.
  private var youngBytesMax: Int { limits.memoryBytesMax / 4 }
  /// Larger requests are packed at once.
  private var keptRequestMax: Int { min(youngBytesMax / 8, 4 << 20) }

  /// Decides whether the spans of a request are kept in it, and begins.
  mutating func beginKeeping(_ request: ReceivedRequest, _ indices: [UInt32], _ lease: AnyObject?, _ now: UInt64) {
    guard keepsBytes, limits.idleTimeout <= limits.youngIdleMax, let lease, !indices.isEmpty else { return }
    let spans = request.facts.spans.count
    let share = Double(request.bytes.count &+ request.facts.byteCount) * Double(indices.count) / Double(max(1, spans))
    guard share <= Double(keptRequestMax), live.young.hasRoom else { return }
    isKeeping = true
    keptBytes = Int(share)
    live.young.open(request, indices, lease: lease, byteCount: Int(share), now: now)
  }

  /// Ends with a request, and packs about as much as it brought of what is to be packed.
  mutating func endKeeping(_ now: UInt64) {
    guard isKeeping else { return }
    isKeeping = false
    live.young.close()
    _ = pack(now, byteCount: 64 << 10 &+ 2 &* keptBytes, evenDue: false)
  }

  /// Packs some of what is old or too much, until so many bytes were packed.
  /// - Parameter evenDue: whether that holds for traces which are due as well. They are about to close otherwise, be it
  ///   that there are many.
  /// - Returns: whether there is more.
  mutating func pack(_ now: UInt64, byteCount: Int, evenDue: Bool) -> Bool {
    let age = limits.youngAge.clampedNanoseconds
    var left = byteCount
    while let oldest = live.young.oldest() {
      if live.young.requestBytes <= youngBytesMax {
        let trace = live[oldest.slot]
        let isDue = policy.deadline(firstSeen: trace.firstSeen, lastSeen: trace.lastSeen) <= now
        guard now.saturatingSubtract(oldest.time) >= age, evenDue || !isDue else { return false }
      }
      guard left > 0 else { return true }
      left &-= live.packOldest() ?? left
    }
    return false
  }

  /// Packs young spans where there is no room for what is held.
  mutating func packForRoom() {
    while live.heldBytes &- live.askedBytes > limits.memoryBytesMax, live.packOldest() != nil {}
  }
}
