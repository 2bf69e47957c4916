internal import TraceWire

/// One loop's rewriting of kept spans: the threshold in the tracestate and the limits on baggage. Its arrays are reused
/// from span to span.
struct SpanRewriter: Sendable {
  private let isLimiting: Bool
  private var limiter: BaggageLimiter
  private var traceState: [UInt8] = []
  /// The threshold that `traceState` is the whole tracestate of, where the last span had none.
  private var lastAlone: Threshold?

  init(baggage: BaggageRules?, keys: AttributeKeys) {
    isLimiting = baggage != nil
    limiter = BaggageLimiter(baggage ?? BaggageRules(BaggageLimits(), hash: KeyedHash(seed: 1)), keys: keys)
  }

  /// What becomes of a span that sampling kept; its edited message is appended to `scratch`. Nil where the message
  /// cannot be read, which a walk would have found.
  @inline(__always)
  mutating func rewrite(
    _ span: borrowing SpanFacts, _ verdict: SamplingVerdict, in bytes: RawSpan, to scratch: inout [UInt8],
    counts: inout BaggageCounts
  ) -> RewritePlan.SpanAction? {
    let isLimited = isLimiting ? span.traits.contains(.baggage) : false
    if !isLimited, verdict == .keep { return .keep }
    return edit(span, verdict, in: bytes, to: &scratch, counts: &counts)
  }

  private mutating func edit(
    _ span: borrowing SpanFacts, _ verdict: SamplingVerdict, in bytes: RawSpan, to scratch: inout [UInt8],
    counts: inout BaggageCounts
  ) -> RewritePlan.SpanAction? {
    let start = scratch.count
    do throws(WireFault) {
      var edit = TraceStateEdit.keep
      if case .stamp(let threshold) = verdict {
        stamp(threshold, on: span.traceState, in: bytes)
        edit = .replace(traceState)
      }
      guard isLimiting, span.traits.contains(.baggage) else {
        return .replace(try SpanEditor.append(span.body, of: bytes, traceState: edit, attributes: [], to: &scratch))
      }
      return try limit(span.body, edit, in: bytes, to: &scratch, counts: &counts)
    } catch {
      scratch.removeSubrange(start...)
      return nil
    }
  }

  private mutating func limit(
    _ span: ByteRange, _ traceState: TraceStateEdit, in bytes: RawSpan, to scratch: inout [UInt8],
    counts: inout BaggageCounts
  ) throws(WireFault) -> RewritePlan.SpanAction {
    try limiter.limit(span, in: bytes)
    counts += limiter.counts
    if !limiter.body.isEmpty {
      let body = ByteRange(0, limiter.body.count)
      return .replace(
        try SpanEditor.append(
          body, of: limiter.body.span.bytes, traceState: traceState, attributes: limiter.edits, to: &scratch))
    }
    if limiter.edits.isEmpty, case .keep = traceState { return .keep }
    return .replace(
      try SpanEditor.append(span, of: bytes, traceState: traceState, attributes: limiter.edits, to: &scratch))
  }

  /// Writes a threshold into a span's tracestate, in `traceState`.
  private mutating func stamp(_ threshold: Threshold?, on range: ByteRange, in bytes: RawSpan) {
    if range.isEmpty, let threshold, lastAlone == threshold { return }
    traceState.empty(capacityMax: 1 << 16)
    TraceStateEditor.settingThreshold(threshold, in: range, of: bytes, to: &traceState)
    lastAlone = range.isEmpty ? threshold : nil
  }
}
