internal import TraceWire

/// What the one tree of a trace amounts to when it closes. A pure function of its spans.
struct TraceSummary: Sendable {
  /// Whether there is exactly one root and no entry whose parent never came.
  let isComplete: Bool
  /// Whether spans of two regions are in it.
  let isCrossRegion: Bool
  /// Last end minus first start in nanoseconds, zero where that is negative or there is none.
  let duration: UInt64
  /// The service of the root: of the earliest where there are several, of the earliest entry where there is none, of
  /// the earliest span where all are in cycles.
  let service: UInt32
  /// How many traces this one stands for: the weight of the span that `service` is of.
  let weight: Double

  init(_ records: [SpanRecord]) {
    precondition(!records.isEmpty, "a trace has a span")
    let spans = records.span
    var (roots, openEntries, head, crossRegion) = (0, 0, 0, false)
    var (firstStart, lastEnd) = (UInt64.max, UInt64.min)
    for index in spans.indices {
      if spans[index].isRoot { roots &+= 1 }
      if spans[index].isUnmatchedEntry { openEntries &+= 1 }
      if Self.leads(spans[index], spans[head]) { head = index }
      if !spans[index].link.isInRegion(of: spans[0].link) { crossRegion = true }
      // 0 is no time: the span has none.
      if spans[index].start > 0 { firstStart = min(firstStart, spans[index].start) }
      lastEnd = max(lastEnd, spans[index].end)
    }
    isComplete = roots == 1 && openEntries == 0
    isCrossRegion = crossRegion
    duration = lastEnd.saturatingSubtract(firstStart)
    service = spans[head].link.service
    weight = spans[head].link.weight
  }

  /// Whether `left` rather than `right` stands for the trace.
  @inline(__always) private static func leads(_ left: borrowing SpanRecord, _ right: borrowing SpanRecord) -> Bool {
    let (leftRank, rightRank) = (rank(left), rank(right))
    if leftRank != rightRank { return leftRank < rightRank }
    if left.start != right.start { return left.start < right.start }
    return left.spanID.rawValue < right.spanID.rawValue
  }

  @inline(__always) private static func rank(_ span: borrowing SpanRecord) -> Int {
    if span.isRoot { return 0 }
    return span.isUnmatchedEntry ? 1 : 2
  }
}
