/// Copies spans of a walked request as complete `resource_spans` fields (field 1 of `ExportTraceServiceRequest`), so
/// that whatever was appended, one after the other, is again a valid request.
///
/// Kept bytes are copied as they came, unknown fields included. What a `ResourceSpans` or `ScopeSpans` holds besides
/// its spans goes with every part of it that is cut out; without kept spans it is left out. The output may therefore
/// be longer than the input where a request is cut into many pieces: callers charge what was written.
public enum BatchWriter {
  /// Carries out a plan for the spans with indices in a range: at most `limit` kept spans are written, `next` is the
  /// first index not looked at (dropped spans are stepped over, so it is the range's end or a kept span).
  public static func append(
    _ range: Range<Int>, limit: Int, of facts: RequestFacts, in bytes: RawSpan, plan: RewritePlan,
    to output: inout [UInt8]
  ) -> (written: Int, next: Int) {
    precondition(
      plan.spans.count == facts.spans.count && plan.resources.count == facts.resources.count,
      "a plan is made for its request")
    precondition(range.lowerBound >= 0 && range.upperBound <= facts.spans.count, "a range of the request's spans")
    var written = 0
    var next = range.lowerBound
    while next < range.upperBound {
      if plan.spans[next].isKept {
        if written >= limit { break }
        written &+= 1
      }
      next &+= 1
    }
    if written > 0 {
      let none: [UInt32] = []
      let selection = SpanSelection(range.lowerBound..<next, unused: none.span)
      BatchPieces(facts: facts, plan: plan).append(selection, of: bytes, to: &output)
    }
    return (written, next)
  }

  /// Appends the spans with these ascending indices as they came.
  public static func append(
    spans indices: Span<UInt32>, of facts: RequestFacts, in bytes: RawSpan, to output: inout [UInt8]
  ) {
    BatchPieces(facts: facts, plan: RewritePlan()).append(SpanSelection(indices), of: bytes, to: &output)
  }

  /// What `append` adds for the spans with these ascending indices.
  public static func byteCount(spans indices: Span<UInt32>, of facts: RequestFacts) -> Int {
    BatchPieces(facts: facts, plan: RewritePlan()).byteCount(SpanSelection(indices))
  }
}

extension RewritePlan.SpanAction {
  @inline(__always) var isKept: Bool { if case .drop = self { false } else { true } }
}
