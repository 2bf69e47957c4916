/// The work of `BatchWriter`: one piece for each `ResourceSpans` with kept spans, in it one for each `ScopeSpans`.
/// A piece is measured before it is written, because its length stands in front of it.
struct BatchPieces {
  let facts: RequestFacts
  /// `nil` keeps everything.
  let plan: RewritePlan?

  /// What a part of a request comes to.
  private struct Measure {
    /// Bytes of the message, without tag and length.
    var count = 0
    var kept = 0
    var isEdited = false
  }

  /// Appends the spans with these ascending indices, as far as the plan keeps them.
  func append<Indices: Collection<UInt32>>(_ indices: Indices, of bytes: RawSpan, to output: inout [UInt8]) {
    var copier = RunCopier()
    var start = indices.startIndex
    while start != indices.endIndex {
      let resource = facts.spans[Int(indices[start])].resource
      let limit = facts.resources[Int(resource)].spans.upperBound
      let end = indices[start...].firstIndex { $0 >= limit } ?? indices.endIndex
      appendResource(Int(resource), indices[start..<end], of: bytes, copier: &copier, to: &output)
      start = end
    }
    copier.flush(of: bytes, to: &output)
  }

  private func appendResource<Indices: Collection<UInt32>>(
    _ index: Int, _ indices: Indices, of bytes: RawSpan, copier: inout RunCopier, to output: inout [UInt8]
  ) {
    let resource = facts.resources[index]
    let measure = measureResource(index, indices)
    guard measure.kept > 0 else { return }
    if !measure.isEdited, measure.kept == resource.spans.count, measure.count == resource.body.count {
      copier.copy(resource.record, of: bytes, to: &output)
      return
    }
    copier.open(0x0a, count: measure.count, of: bytes, to: &output)
    let replacement = replacement(of: index)
    if let replacement, resource.resourceRecord.isEmpty { appendReplacement(replacement, to: &output) }
    var gap = resource.gaps.lowerBound
    var start = indices.startIndex
    while start != indices.endIndex {
      let scope = facts.scopes[Int(facts.spans[Int(indices[start])].scope)]
      let end = indices[start...].firstIndex { $0 >= scope.spans.upperBound } ?? indices.endIndex
      while gap < resource.gaps.upperBound, facts.resourceGaps[Int(gap)].lower < scope.record.lower {
        appendGap(facts.resourceGaps[Int(gap)], resource, replacement, of: bytes, copier: &copier, to: &output)
        gap &+= 1
      }
      appendScope(scope, indices[start..<end], of: bytes, copier: &copier, to: &output)
      start = end
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
    guard let plan else { return }
    output.append(0x0a)
    output.appendVarint(UInt64(truncatingIfNeeded: replacement.count))
    output.append(replacement, of: plan.scratch.span.bytes)
  }

  private func appendScope<Indices: Collection<UInt32>>(
    _ scope: ScopeFacts, _ indices: Indices, of bytes: RawSpan, copier: inout RunCopier, to output: inout [UInt8]
  ) {
    let measure = measureScope(scope, indices)
    guard measure.kept > 0 else { return }
    if !measure.isEdited, measure.kept == scope.spans.count, measure.count == scope.body.count {
      copier.copy(scope.record, of: bytes, to: &output)
      return
    }
    copier.open(0x12, count: measure.count, of: bytes, to: &output)
    var gap = scope.gaps.lowerBound
    for index in indices {
      let record = facts.spans[Int(index)].record
      while gap < scope.gaps.upperBound, facts.scopeGaps[Int(gap)].lower < record.lower {
        copier.copy(facts.scopeGaps[Int(gap)], of: bytes, to: &output)
        gap &+= 1
      }
      switch action(of: Int(index)) {
      case .drop: break
      case .keep: copier.copy(record, of: bytes, to: &output)
      case .replace(let range):
        copier.open(0x12, count: range.count, of: bytes, to: &output)
        if let plan { output.append(range, of: plan.scratch.span.bytes) }
      }
    }
    while gap < scope.gaps.upperBound {
      copier.copy(facts.scopeGaps[Int(gap)], of: bytes, to: &output)
      gap &+= 1
    }
  }

  private func measureResource<Indices: Collection<UInt32>>(_ index: Int, _ indices: Indices) -> Measure {
    let resource = facts.resources[index]
    var total = Measure()
    var start = indices.startIndex
    while start != indices.endIndex {
      let scope = facts.scopes[Int(facts.spans[Int(indices[start])].scope)]
      let end = indices[start...].firstIndex { $0 >= scope.spans.upperBound } ?? indices.endIndex
      let part = measureScope(scope, indices[start..<end])
      if part.kept > 0 {
        let isWhole = !part.isEdited && part.kept == scope.spans.count && part.count == scope.body.count
        total.count &+= isWhole ? scope.record.count : Self.fieldSize(part.count)
        total.kept &+= part.kept
        total.isEdited = total.isEdited || part.isEdited
      }
      start = end
    }
    for gap in resource.gaps { total.count &+= facts.resourceGaps[Int(gap)].count }
    if let replacement = replacement(of: index) {
      total.isEdited = true
      total.count &+= Self.fieldSize(replacement.count) &- resource.resourceRecord.count
    }
    return total
  }

  private func measureScope<Indices: Collection<UInt32>>(_ scope: ScopeFacts, _ indices: Indices) -> Measure {
    var measure = Measure()
    for index in indices {
      switch action(of: Int(index)) {
      case .drop: continue
      case .keep: measure.count &+= facts.spans[Int(index)].record.count
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
  private func action(of span: Int) -> RewritePlan.SpanAction { plan?.spans[span] ?? .keep }

  private func replacement(of resource: Int) -> ByteRange? {
    guard let plan, case .replace(let range) = plan.resources[resource] else { return nil }
    return range
  }

  /// Bytes of a message field with a one-byte tag.
  @inline(__always)
  static func fieldSize(_ count: Int) -> Int { 1 &+ UInt64(truncatingIfNeeded: count).varintSize &+ count }
}
