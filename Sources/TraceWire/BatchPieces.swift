/// The work of `BatchWriter`: one piece for each `ResourceSpans` with kept spans, in it one for each `ScopeSpans`.
/// A piece is measured before it is written, because its length stands in front of it.
///
/// It looks into the arrays of facts and plan instead of holding them: one trace cut out of a large request must not
/// cost a dozen reference counts.
struct BatchPieces: ~Escapable {
  private let resources: Span<ResourceFacts>
  private let scopes: Span<ScopeFacts>
  private let spans: Span<SpanFacts>
  private let resourceGaps: Span<ByteRange>
  private let scopeGaps: Span<ByteRange>
  /// Both empty without a plan: everything is kept.
  private let resourceActions: Span<RewritePlan.ResourceAction>
  private let scopeActions: Span<RewritePlan.ResourceAction>
  private let spanActions: Span<RewritePlan.SpanAction>
  private let scratch: RawSpan

  /// A plan with nothing in it keeps everything.
  @_lifetime(borrow facts, borrow plan)
  init(facts: borrowing RequestFacts, plan: borrowing RewritePlan) {
    resources = facts.resources.span
    scopes = facts.scopes.span
    spans = facts.spans.span
    resourceGaps = facts.resourceGaps.span
    scopeGaps = facts.scopeGaps.span
    resourceActions = plan.resources.span
    scopeActions = plan.scopes.span
    spanActions = plan.spans.span
    scratch = plan.scratch.span.bytes
  }

  /// What a part of a request comes to.
  private struct Measure {
    /// Bytes of the message, without tag and length.
    var count = 0
    var kept = 0
    var isEdited = false

    /// Whether a resource with its spans goes out as it came in.
    func isWhole(_ resource: ResourceFacts) -> Bool {
      !isEdited && kept == resource.spans.count && count == resource.body.count
    }

    /// Whether a scope goes out as it came in.
    func isWhole(_ scope: ScopeFacts) -> Bool {
      !isEdited && kept == scope.spans.count && count == scope.body.count
    }
  }

  /// Appends the spans with these ascending indices, as far as the plan keeps them.
  func append(_ selection: SpanSelection, of bytes: RawSpan, to output: inout [UInt8]) {
    var copier = RunCopier()
    var left = selection.positions
    while !left.isEmpty {
      let resource = Int(spans[selection[left.lowerBound]].resource)
      let part = selection.prefix(of: left, before: resources[resource].spans.upperBound)
      appendResource(resource, selection, part, of: bytes, copier: &copier, to: &output)
      left = part.upperBound..<left.upperBound
    }
    copier.flush(of: bytes, to: &output)
  }

  /// What `append` adds.
  func byteCount(_ selection: SpanSelection) -> Int {
    var total = 0
    var left = selection.positions
    while !left.isEmpty {
      let index = Int(spans[selection[left.lowerBound]].resource)
      let part = selection.prefix(of: left, before: resources[index].spans.upperBound)
      let measure = measureResource(index, selection, part)
      if measure.kept > 0 {
        total &+= measure.isWhole(resources[index]) ? resources[index].record.count : Self.fieldSize(measure.count)
      }
      left = part.upperBound..<left.upperBound
    }
    return total
  }

  private func appendResource(
    _ index: Int, _ selection: borrowing SpanSelection, _ positions: Range<Int>, of bytes: RawSpan,
    copier: inout RunCopier,
    to output: inout [UInt8]
  ) {
    let resource = resources[index]
    let measure = measureResource(index, selection, positions)
    guard measure.kept > 0 else { return }
    if measure.isWhole(resource) {
      copier.copy(resource.record, of: bytes, to: &output)
      return
    }
    copier.open(0x0a, count: measure.count, of: bytes, to: &output)
    let replacement = replacement(of: index)
    if let replacement, resource.resourceRecord.isEmpty { appendReplacement(replacement, to: &output) }
    var gap = resource.gaps.lowerBound
    var left = positions
    while !left.isEmpty {
      let scope = scopes[Int(spans[selection[left.lowerBound]].scope)]
      let part = selection.prefix(of: left, before: scope.spans.upperBound)
      while gap < resource.gaps.upperBound, resourceGaps[Int(gap)].lower < scope.record.lower {
        appendGap(resourceGaps[Int(gap)], resource.resourceRecord, replacement, of: bytes, copier: &copier, to: &output)
        gap &+= 1
      }
      appendScope(
        scope, scopeReplacement(at: selection[part.lowerBound]), selection, part, of: bytes, copier: &copier,
        to: &output)
      left = part.upperBound..<left.upperBound
    }
    while gap < resource.gaps.upperBound {
      appendGap(resourceGaps[Int(gap)], resource.resourceRecord, replacement, of: bytes, copier: &copier, to: &output)
      gap &+= 1
    }
  }

  /// Appends fields of a `ResourceSpans` or `ScopeSpans`, with the replacement where the resource or scope was.
  @inline(__always)
  private func appendGap(
    _ gap: ByteRange, _ record: ByteRange, _ replacement: ByteRange?, of bytes: RawSpan,
    copier: inout RunCopier, to output: inout [UInt8]
  ) {
    guard let replacement, !record.isEmpty, gap.lower <= record.lower, record.upper <= gap.upper else {
      copier.copy(gap, of: bytes, to: &output)
      return
    }
    copier.copy(ByteRange(Int(gap.lower), Int(record.lower)), of: bytes, to: &output)
    copier.flush(of: bytes, to: &output)
    appendReplacement(replacement, to: &output)
    copier.copy(ByteRange(Int(record.upper), Int(gap.upper)), of: bytes, to: &output)
  }

  private func appendReplacement(_ replacement: ByteRange, to output: inout [UInt8]) {
    output.append(0x0a)
    output.appendVarint(UInt64(truncatingIfNeeded: replacement.count))
    output.append(replacement, of: scratch)
  }

  private func appendScope(
    _ scope: ScopeFacts, _ replacement: ByteRange?, _ selection: borrowing SpanSelection, _ positions: Range<Int>,
    of bytes: RawSpan, copier: inout RunCopier, to output: inout [UInt8]
  ) {
    let measure = measureScope(scope, replacement, selection, positions)
    guard measure.kept > 0 else { return }
    if measure.isWhole(scope) {
      copier.copy(scope.record, of: bytes, to: &output)
      return
    }
    copier.open(0x12, count: measure.count, of: bytes, to: &output)
    var gap = scope.gaps.lowerBound
    for position in positions {
      let index = selection[position]
      let record = spans[index].record
      while gap < scope.gaps.upperBound, scopeGaps[Int(gap)].lower < record.lower {
        appendGap(scopeGaps[Int(gap)], scope.scopeRecord, replacement, of: bytes, copier: &copier, to: &output)
        gap &+= 1
      }
      switch action(of: index) {
      case .drop: break
      case .keep: copier.copy(record, of: bytes, to: &output)
      case .replace(let range):
        copier.open(0x12, count: range.count, of: bytes, to: &output)
        output.append(range, of: scratch)
      }
    }
    while gap < scope.gaps.upperBound {
      appendGap(scopeGaps[Int(gap)], scope.scopeRecord, replacement, of: bytes, copier: &copier, to: &output)
      gap &+= 1
    }
  }

  private func measureResource(
    _ index: Int, _ selection: borrowing SpanSelection, _ positions: Range<Int>
  ) -> Measure {
    let resource = resources[index]
    var total = Measure()
    var left = positions
    while !left.isEmpty {
      let scope = scopes[Int(spans[selection[left.lowerBound]].scope)]
      let part = selection.prefix(of: left, before: scope.spans.upperBound)
      let inner = measureScope(scope, scopeReplacement(at: selection[part.lowerBound]), selection, part)
      if inner.kept > 0 {
        total.count &+= inner.isWhole(scope) ? scope.record.count : Self.fieldSize(inner.count)
        total.kept &+= inner.kept
        total.isEdited = total.isEdited || inner.isEdited
      }
      left = part.upperBound..<left.upperBound
    }
    for gap in resource.gaps { total.count &+= resourceGaps[Int(gap)].count }
    if let replacement = replacement(of: index) {
      total.isEdited = true
      total.count &+= Self.fieldSize(replacement.count) &- resource.resourceRecord.count
    }
    return total
  }

  private func measureScope(
    _ scope: ScopeFacts, _ replacement: ByteRange?, _ selection: borrowing SpanSelection, _ positions: Range<Int>
  ) -> Measure {
    var measure = Measure()
    for position in positions {
      let index = selection[position]
      switch action(of: index) {
      case .drop: continue
      case .keep: measure.count &+= spans[index].record.count
      case .replace(let range):
        measure.count &+= Self.fieldSize(range.count)
        measure.isEdited = true
      }
      measure.kept &+= 1
    }
    guard measure.kept > 0 else { return measure }
    for gap in scope.gaps { measure.count &+= scopeGaps[Int(gap)].count }
    if let replacement, !scope.scopeRecord.isEmpty {
      measure.isEdited = true
      measure.count &+= Self.fieldSize(replacement.count) &- scope.scopeRecord.count
    }
    return measure
  }

  @inline(__always)
  private func action(of span: Int) -> RewritePlan.SpanAction { spanActions.isEmpty ? .keep : spanActions[span] }

  private func replacement(of resource: Int) -> ByteRange? {
    guard !resourceActions.isEmpty, case .replace(let range) = resourceActions[resource] else { return nil }
    return range
  }

  /// What stands for the scope of a span; a scope that is not there has none.
  @inline(__always)
  private func scopeReplacement(at span: Int) -> ByteRange? {
    guard !scopeActions.isEmpty, case .replace(let range) = scopeActions[Int(spans[span].scope)] else { return nil }
    return range
  }

  /// Bytes of a message field with a one-byte tag.
  @inline(__always)
  static func fieldSize(_ count: Int) -> Int { 1 &+ UInt64(truncatingIfNeeded: count).varintSize &+ count }
}
