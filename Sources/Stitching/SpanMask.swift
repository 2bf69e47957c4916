internal import TraceWire

/// Takes out of spans' bytes what their facts say anyway, and puts it back: IDs and times, which nothing compresses,
/// become zeros. Doing it twice leaves everything as it was.
struct SpanMask: Sendable {
  private var places: [SpanPlaces] = []

  init() {}

  /// Combines the fields of each span with its record's; whether there are as many spans as records. Where there are
  /// not, nothing was changed.
  mutating func apply(_ records: ArraySlice<SpanRecord>, of trace: TraceID, to bytes: inout [UInt8]) -> Bool {
    places.removeAll(keepingCapacity: places.capacity < 1 << 14)
    do throws(WireFault) {
      try SpanPlaces.find(in: bytes.span.bytes, into: &places)
    } catch {
      return false
    }
    guard places.count == records.count else { return false }
    var span = bytes.mutableSpan
    var output = span.mutableBytes
    for (own, index) in zip(places, records.indices) {
      if own.traceID > 0 {
        Self.combine(trace.high.bigEndian, at: own.traceID, &output)
        Self.combine(trace.low.bigEndian, at: own.traceID &+ 8, &output)
      }
      if own.spanID > 0 { Self.combine(records[index].spanID.rawValue.bigEndian, at: own.spanID, &output) }
      if own.parentID > 0 { Self.combine(records[index].parentID.rawValue.bigEndian, at: own.parentID, &output) }
      if own.start > 0 { Self.combine(records[index].start.littleEndian, at: own.start, &output) }
      if own.end > 0 { Self.combine(records[index].end.littleEndian, at: own.end, &output) }
    }
    return true
  }

  @inline(__always)
  private static func combine(_ word: UInt64, at offset: UInt32, _ bytes: inout MutableRawSpan) {
    let old = bytes.unsafeLoadUnaligned(fromByteOffset: Int(offset), as: UInt64.self)
    bytes.storeBytes(of: old ^ word, toByteOffset: Int(offset), as: UInt64.self)
  }
}
