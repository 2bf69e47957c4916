internal import TraceWire

/// The bytes of the spans of live traces: at first in the requests that brought them, later in the store, masked and
/// compressed. A trace's spans are packed in the order they came, so those in the store come before the young ones.
extension LiveTraces {
  /// Keeps the spans that were absorbed after this one in the request at hand, as positions in its list.
  /// - Parameter byteCount: what they come to when they are handed on.
  mutating func keep(_ positions: Range<Int>, of slot: UInt32, after last: UInt32, byteCount: Int) {
    let run = young.append(positions, of: slot, after: last, byteCount: byteCount, to: &traces[Int(slot)].young)
    traces[Int(slot)].rawBytes &+= UInt32(clamping: byteCount)
    charge(slot, run.heldBytes)
  }

  /// Packs the bytes of the spans that were absorbed after this one.
  mutating func append(_ bytes: inout [UInt8], to slot: UInt32, after last: UInt32, spans count: Int) {
    traces[Int(slot)].rawBytes &+= UInt32(clamping: bytes.count)
    while packFirst(of: slot) != nil {}
    pack(&bytes, of: slot, after: last, spans: count)
    if packedSpans.capacity > 1 << 12 { packedSpans = [] }
  }

  /// Packs the oldest of the young spans.
  /// - Returns: how many bytes they had; nil where there are none.
  mutating func packOldest() -> Int? {
    young.oldest().flatMap { packFirst(of: $0.slot) }
  }

  /// Appends the bytes of a trace that were packed: complete `resource_spans` fields. Those of its young spans follow
  /// with `young.write`. `records` are the trace's.
  mutating func handOn(_ slot: UInt32, _ records: [SpanRecord], to payload: inout [UInt8]) {
    let trace = traces[Int(slot)]
    young.want(trace.young)
    guard !trace.slices.isEmpty else { return }
    var bytes: [UInt8] = []
    store.read(trace.slices, to: &bytes)
    if !trace.isUnmasked {
      let packed = records.count &- young.measure(trace.young).spans
      let isWhole = mask.apply(records[..<packed], of: trace.id, to: &bytes)
      precondition(isWhole, "a trace's slices hold the spans that they were masked with")
    }
    if payload.isEmpty { payload = bytes } else { payload.append(contentsOf: bytes) }
  }

  /// Packs the bytes of a trace's first young run; what it was charged with, nil where there is none.
  private mutating func packFirst(of slot: UInt32) -> Int? {
    var bytes: [UInt8] = []
    swap(&bytes, &packedBytes)
    bytes.removeAll(keepingCapacity: true)
    defer { if bytes.capacity <= 1 << 20 { swap(&bytes, &packedBytes) } }
    guard let run = young.takeFirst(of: &traces[Int(slot)].young, to: &bytes) else { return nil }
    charge(slot, 0 &- run.heldBytes)
    pack(&bytes, of: slot, after: run.last, spans: Int(run.count))
    return run.heldBytes
  }

  /// Masks and compresses the bytes of so many spans that the trace got after this one.
  private mutating func pack(_ bytes: inout [UInt8], of slot: UInt32, after last: UInt32, spans count: Int) {
    if !traces[Int(slot)].isUnmasked {
      pool.read(traces[Int(slot)].spans, after: last, limit: count, into: &packedSpans)
      if !mask.apply(packedSpans[...], of: traces[Int(slot)].id, to: &bytes) { unmask(slot, before: last) }
    }
    store(bytes, slot)
  }

  private mutating func store(_ bytes: [UInt8], _ slot: UInt32) {
    let before = store.heldBytes
    store.append(bytes, to: &traces[Int(slot)].slices)
    charge(slot, store.heldBytes &- before)
  }

  /// Keeps a trace's slices as they came from now on, and those that it has.
  private mutating func unmask(_ slot: UInt32, before last: UInt32) {
    var bytes: [UInt8] = []
    store.read(traces[Int(slot)].slices, to: &bytes)
    pool.read(traces[Int(slot)].spans, upTo: last, into: &packedSpans)
    traces[Int(slot)].isUnmasked = true
    guard last != .max else { return }
    let isWhole = mask.apply(packedSpans[...], of: traces[Int(slot)].id, to: &bytes)
    precondition(isWhole, "a trace's slices hold the spans that they were masked with")
    let before = store.heldBytes
    store.remove(traces[Int(slot)].slices)
    traces[Int(slot)].slices = StoredSlices()
    charge(slot, store.heldBytes &- before)
    store(bytes, slot)
  }
}
