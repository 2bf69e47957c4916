internal import SwiftProtobuf
internal import TestKit
internal import TraceWire

/// The walk accepts what swift-protobuf accepts and finds what it finds. One difference is wanted: text that is not
/// UTF-8 is forwarded as it came.
enum OTLPTarget {
  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var facts = RequestFacts()
    let fault = WalkedRequest.fault(bytes, &facts, keys: OracleSpan.keys)
    if let fault {
      try check((0...bytes.count).contains(fault.offset), "a fault at byte \(fault.offset) of \(bytes.count)")
    } else {
      try checkShape(facts, bytes.count)
    }
    let oracle: OTLPGenerator.Request
    do {
      oracle = try OTLPGenerator.Request(serializedBytes: bytes)
    } catch BinaryDecodingError.invalidUTF8 {
      return
    } catch {
      try check(fault != nil, "accepted what swift-protobuf refuses: \(error)")
      return
    }
    if let fault { throw FuzzFinding("refused what swift-protobuf accepts: \(fault)") }
    let found = facts.spans.map { OracleSpan($0, in: bytes) }
    let wanted = OracleSpan.all(in: oracle)
    try check(found.count == wanted.count, "\(found.count) spans, not \(wanted.count)")
    for (var found, wanted) in zip(found, wanted) {
      // The oracle knows the hosts of few URLs.
      if wanted.texts[3].isEmpty { found.texts[3] = "" }
      try check(found == wanted, "read \(found), not \(wanted)")
    }
  }

  /// Every range lies where it belongs, and counts add up.
  private static func checkShape(_ facts: RequestFacts, _ count: Int) throws(FuzzFinding) {
    var spans = 0
    var scopes = 0
    for (index, resource) in facts.resources.enumerated() {
      try check(resource.record.lies(in: ByteRange(0, count)), "resource spans outside of the request")
      try check(resource.body.lies(in: resource.record), "a body outside of its field")
      for range in [resource.resource, resource.resourceRecord, resource.service, resource.region] {
        try check(range.isEmpty || range.lies(in: resource.body), "a resource's fact outside of it")
      }
      for gap in facts.resourceGaps[resource.gaps.indices] {
        try check(gap.lies(in: resource.body), "a gap outside of its message")
      }
      try check(resource.scopes.indices.lowerBound == scopes, "scopes that are nobody's")
      scopes = resource.scopes.indices.upperBound
      for scope in facts.scopes[resource.scopes.indices] {
        try check(scope.record.lies(in: resource.body) && scope.body.lies(in: scope.record), "a scope outside")
        try check(Int(scope.resource) == index, "a scope of another resource")
        for gap in facts.scopeGaps[scope.gaps.indices] {
          try check(gap.lies(in: scope.body), "a gap outside of its message")
        }
        try check(scope.spans.indices.lowerBound == spans, "spans that are nobody's")
        spans = scope.spans.indices.upperBound
        for span in facts.spans[scope.spans.indices] { try checkSpan(span, scope) }
      }
    }
    try check(spans == facts.spans.count && scopes == facts.scopes.count, "facts of nobody")
  }

  private static func checkSpan(_ span: SpanFacts, _ scope: ScopeFacts) throws(FuzzFinding) {
    try check(span.record.lies(in: scope.body) && span.body.lies(in: span.record), "a span outside of its scope")
    let texts = [
      span.traceState, span.calleeRegion, span.callerRegion, span.calleeHost, span.callerHost, span.peerAddress,
    ]
    for range in texts where !range.isEmpty { try check(range.lies(in: span.body), "a fact outside of its span") }
    try check(span.randomness < Threshold.limit, "randomness of more than 56 bits")
  }
}

/// What the targets have to do with a request's walk.
enum WalkedRequest {
  static func fault(_ bytes: [UInt8], _ facts: inout RequestFacts, keys: AttributeKeys) -> WireFault? {
    do throws(WireFault) {
      try facts.walk(bytes.span.bytes, keys: keys)
      return nil
    } catch {
      return error
    }
  }
}

extension ByteRange {
  func lies(in other: ByteRange) -> Bool { lower <= upper && lower >= other.lower && upper <= other.upper }
}

extension Range<UInt32> {
  var indices: Range<Int> { Int(lowerBound)..<Int(upperBound) }
}

extension SwiftProtobuf.Message {
  /// The message as bytes, which can be compared where `==` would say that no NaN is like another.
  var encoded: [UInt8]? { try? serializedBytes() }

  /// The message for a finding; release builds print no more than its type otherwise.
  var text: String { textFormatString() }
}
