/// The work of `BatchWriter`: one piece for each `ResourceSpans` with kept spans, in it one for each `ScopeSpans`.
/// A piece is measured before it is written, because its length stands in front of it.
struct BatchPieces {
  private let facts: RequestFacts
  private let hasPlan: Bool
  private let plan: RewritePlan

  /// Without a plan everything is kept.
  init(facts: RequestFacts, plan: RewritePlan?) {
    self.facts = facts
    hasPlan = plan != nil
    self.plan = plan ?? RewritePlan()
  }

  /// What a part of a request comes to.
  private struct Measure {
    /// Bytes of the message, without tag and length.
    var count = 0
    var kept = 0
    var isEdited = false

    /// Whether a scope goes out as it came in.
    func isWhole(_ scope: ScopeFacts) -> Bool {
      !isEdited && kept == scope.spans.count && count == scope.body.count
    }
  }

  /// Appends the spans with these ascending indices, as far as the plan keeps them.
  func append(_ spans: SpanSelection, of bytes: RawSpan, to output: inout [UInt8]) {
    var copier = RunCopier()
    var left = spans.positions
    while !left.isEmpty {
      let resource = Int(facts.spans[spans[left.lowerBound]].resource)
      let part = spans.prefix(of: left, before: facts.resources[resource].spans.upperBound)
      appendResource(resource, spans, part, of: bytes, copier: &copier, to: &output)
      left = part.upperBound..<left.upperBound
    }
    copier.flush(of: bytes, to: &output)
  }

  private func appendResource(
    _ index: Int, _ spans: borrowing SpanSelection, _ positions: Range<Int>, of bytes: RawSpan, copier: inout RunCopier, to output: inout [UInt8]
  ) {
    let resource = facts.resources[index]
    let measure = measureResource(index, spans, positions)
    guard measure.kept > 0 else { return }
    if !measure.isEdited, measure.kept == resource.spans.count, measure.count == resource.body.count {
      copier.copy(resource.record, of: bytes, to: &output)
      return
    }
    copier.open(0x0a, count: measure.count, of: bytes, to: &output)
    let replacement = replacement(of: index)
    if let replacement, resource.resourceRecord.isEmpty { appendReplacement(replacement, to: &output) }
    var gap = resource.gaps.lowerBound
    var left = positions
    while !left.isEmpty {
      let scope = facts.scopes[Int(facts.spans[spans[left.lowerBound]].scope)]
      let part = spans.prefix(of: left, before: scope.spans.upperBound)
      while gap < resource.gaps.upperBound, facts.resourceGaps[Int(gap)].lower < scope.record.lower {
        appendGap(facts.resourceGaps[Int(gap)], resource, replacement, of: bytes, copier: &copier, to: &output)
        gap &+= 1
      }
      appendScope(scope, spans, part, of: bytes, copier: &copier, to: &output)
      left = part.upperBound..<left.upperBound
    }
    while gap < resource.gaps.upperBound {
      appendGap(facts.resourceGaps[Int(gap)], resource, replacement, of: bytes, copier: &copier, to: &output)
      gap &+= 1
    }
  }

  /// Appends fields of a `ResourceSpans`, with the replacement where the resource was.
  private func appendGap(
    _ gap: ByteRange, _ resource: ResourceFacts, _ replacement: ByteRange?, of bytes: RawSpan,
    copier: inout RunCopier, to output: inout [UInt8]
  ) {
    let record = resource.resourceRecord
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
    output.append(replacement, of: plan.scratch.span.bytes)
  }

  private func appendScope(
    _ scope: ScopeFacts, _ spans: borrowing SpanSelection, _ positions: Range<Int>, of bytes: RawSpan, copier: inout RunCopier, to output: inout [UInt8]
  ) {
    let measure = measureScope(scope, spans, positions)
    guard measure.kept > 0 else { return }
    if measure.isWhole(scope) {
      copier.copy(scope.record, of: bytes, to: &output)
      return
    }
    copier.open(0x12, count: measure.count, of: bytes, to: &output)
    var gap = scope.gaps.lowerBound
    for position in positions {
      let index = spans[position]
      let record = facts.spans[index].record
      while gap < scope.gaps.upperBound, facts.scopeGaps[Int(gap)].lower < record.lower {
        copier.copy(facts.scopeGaps[Int(gap)], of: bytes, to: &output)
        gap &+= 1
      }
      switch action(of: index) {
      case .drop: break
      case .keep: copier.copy(record, of: bytes, to: &output)
      case .replace(let range):
        copier.open(0x12, count: range.count, of: bytes, to: &output)
        output.append(range, of: plan.scratch.span.bytes)
      }
    }
    while gap < scope.gaps.upperBound {
      copier.copy(facts.scopeGaps[Int(gap)], of: bytes, to: &output)
      gap &+= 1
    }
  }

  private func measureResource(
    _ index: Int, _ spans: borrowing SpanSelection, _ positions: Range<Int>
  ) -> Measure {
    let resource = facts.resources[index]
    var total = Measure()
    var left = positions
    while !left.isEmpty {
      let scope = facts.scopes[Int(facts.spans[spans[left.lowerBound]].scope)]
      let part = spans.prefix(of: left, before: scope.spans.upperBound)
      let inner = measureScope(scope, spans, part)
      if inner.kept > 0 {
        total.count &+= inner.isWhole(scope) ? scope.record.count : Self.fieldSize(inner.count)
        total.kept &+= inner.kept
        total.isEdited = total.isEdited || inner.isEdited
      }
      left = part.upperBound..<left.upperBound
    }
    for gap in resource.gaps { total.count &+= facts.resourceGaps[Int(gap)].count }
    if let replacement = replacement(of: index) {
      total.isEdited = true
      total.count &+= Self.fieldSize(replacement.count) &- resource.resourceRecord.count
    }
    return total
  }

  private func measureScope(
    _ scope: ScopeFacts, _ spans: borrowing SpanSelection, _ positions: Range<Int>
  ) -> Measure {
    var measure = Measure()
    for position in positions {
      let index = spans[position]
      switch action(of: index) {
      case .drop: continue
      case .keep: measure.count &+= facts.spans[index].record.count
      case .replace(let range):
        measure.count &+= Self.fieldSize(range.count)
        measure.isEdited = true
      }
      measure.kept &+= 1
    }
    if measure.kept > 0 { for gap in scope.gaps { measure.count &+= facts.scopeGaps[Int(gap)].count } }
    return measure
  }

  @inline(__always)
  private func action(of span: Int) -> RewritePlan.SpanAction { hasPlan ? plan.spans[span] : .keep }

  private func replacement(of resource: Int) -> ByteRange? {
    guard hasPlan, case .replace(let range) = plan.resources[resource] else { return nil }
    return range
  }

  /// Bytes of a message field with a one-byte tag.
  @inline(__always)
  static func fieldSize(_ count: Int) -> Int { 1 &+ UInt64(truncatingIfNeeded: count).varintSize &+ count }
}
