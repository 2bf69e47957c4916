internal import SwiftProtobuf
internal import TestKit
internal import TraceWire

/// Editors and writer do to the bytes what the same edits do to the decoded messages.
enum RewriteTarget {
  typealias Request = OTLPGenerator.Request
  typealias Span = OTLPGenerator.Span

  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    let limit = input.one(of: [Int.max, 1, 2, 7])
    var random = SeededGenerator(seed: UInt64(input.byte()) << 8 | UInt64(input.byte()))
    let request = input.data
    var facts = RequestFacts()
    guard WalkedRequest.fault(request, &facts, keys: OracleSpan.keys) == nil else { return }
    var oracle = try? Request(serializedBytes: request)
    var plan = RewritePlan()
    plan.reset(spans: facts.spans.count, resources: facts.resources.count)
    var edits = OracleEdits()
    for index in facts.spans.indices {
      edits.spans.append(try edit(facts.spans[index], in: request, &plan, index, &random))
    }
    for index in facts.resources.indices {
      edits.resources.append(try edit(facts.resources[index], in: request, &plan, index, &random))
    }
    let written = try write(facts, request, plan, limit)
    for part in written {
      var parts = RequestFacts()
      if let fault = WalkedRequest.fault(part.bytes, &parts, keys: OracleSpan.keys) {
        throw FuzzFinding("wrote what cannot be read: \(fault)")
      }
      try check(parts.spans.count == part.count && part.count <= limit, "\(parts.spans.count) spans, not \(part.count)")
      try checkCopies(part.bytes, parts, part.range, request, facts, plan)
    }
    guard oracle != nil else { return }
    oracle?.apply(edits)
    var all = Request()
    for part in written {
      let decoded = try succeeds("decoding a part") { try Request(serializedBytes: part.bytes) }
      let wanted = oracle?.cut { part.range.contains($0) && edits.spans[$0] != nil }
      try check(decoded.encoded == wanted?.encoded, "a part says \(decoded.text), not \(wanted?.text ?? "")")
      all.resourceSpans += decoded.resourceSpans
    }
    guard limit == .max, let first = written.first else { return }
    var listed: [UInt8] = []
    let kept = facts.spans.indices.filter { edits.spans[$0] != nil }.map { UInt32($0) }
    BatchWriter.append(spans: kept.span, of: facts, in: request.span.bytes, to: &listed)
    let original = try? Request(serializedBytes: request)
    let wanted = original?.cut { edits.spans[$0] != nil }
    let decoded = try succeeds("decoding a list") { try Request(serializedBytes: listed) }
    try check(
      decoded.encoded == wanted?.encoded, "a list says \(decoded.text), the plan wrote \(first.bytes.count) bytes")
  }

  private struct Part {
    var range: Range<Int>
    var count: Int
    var bytes: [UInt8]
  }

  private static func write(
    _ facts: RequestFacts, _ request: [UInt8], _ plan: RewritePlan, _ limit: Int
  ) throws(FuzzFinding) -> [Part] {
    var parts: [Part] = []
    var next = 0
    while next < facts.spans.count {
      var output: [UInt8] = []
      let result = BatchWriter.append(
        next..<facts.spans.count, limit: limit, of: facts, in: request.span.bytes, plan: plan, to: &output)
      try check(result.next > next && result.next <= facts.spans.count, "the writer does not advance")
      parts.append(Part(range: next..<result.next, count: result.written, bytes: output))
      next = result.next
    }
    return parts
  }

  /// A span that is kept is there bit for bit, one that is replaced is the edited message.
  private static func checkCopies(
    _ output: [UInt8], _ found: RequestFacts, _ range: Range<Int>, _ request: [UInt8], _ facts: RequestFacts,
    _ plan: RewritePlan
  ) throws(FuzzFinding) {
    var spans = found.spans[...]
    for index in range {
      let action = plan.spans[index]
      if case .drop = action { continue }
      guard let span = spans.popFirst() else { throw FuzzFinding("span \(index) is not there") }
      let body = output[span.body.indices]
      switch action {
      case .replace(let scratch): try check(body == plan.scratch[scratch.indices], "span \(index) is another message")
      default:
        try check(output[span.record.indices] == request[facts.spans[index].record.indices], "span \(index) changed")
      }
    }
    try check(spans.isEmpty, "spans too many")
  }

  /// Plans something for a span; what the oracle is to do to it, nil where it is dropped.
  private static func edit(
    _ span: SpanFacts, in request: [UInt8], _ plan: inout RewritePlan, _ index: Int, _ random: inout SeededGenerator
  ) throws(FuzzFinding) -> OracleEdits.Message? {
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      plan.spans[index] = .drop
      return nil
    case 1: return OracleEdits.Message()
    default:
      let attributes = try edits(span.body, of: request, .span, &random)
      let states: [TraceStateEdit] = [.keep, .replace([]), .replace(Array("ot=th:8,a=1".utf8))]
      let state = states[Int.random(in: 0..<3, using: &random)]
      let before = plan.scratch.count
      let range = try succeeds("editing span \(index)") {
        try SpanEditor.append(
          span.body, of: request.span.bytes, traceState: state, attributes: attributes, to: &plan.scratch)
      }
      try check(range == ByteRange(before, plan.scratch.count), "the editor wrote elsewhere than it says")
      plan.spans[index] = .replace(range)
      return OracleEdits.Message(attributes: attributes, traceState: state)
    }
  }

  /// The same for a resource. Where a peer sent several in one message the oracle knows only what they come to.
  private static func edit(
    _ resource: ResourceFacts, in request: [UInt8], _ plan: inout RewritePlan, _ index: Int,
    _ random: inout SeededGenerator
  ) throws(FuzzFinding) -> OracleEdits.Message? {
    guard !random.one(in: 2), try resources(in: resource, of: request) <= 1 else { return nil }
    let attributes = try edits(resource.resource, of: request, .resource, &random)
    let added = KeyValueEncoder.encode(key: "cloud.region", value: .string("us-east-1"))
    let range = try succeeds("editing resource \(index)") {
      try ResourceEditor.append(
        resource.resource, of: request.span.bytes, attributes: attributes, adding: [added], to: &plan.scratch)
    }
    plan.resources[index] = .replace(range)
    return OracleEdits.Message(attributes: attributes)
  }

  private static func resources(in facts: ResourceFacts, of request: [UInt8]) throws(FuzzFinding) -> Int {
    var fields = ProtobufCursor(request.span.bytes, in: facts.body)
    var count = 0
    do throws(WireFault) {
      while fields.hasMore {
        let tag = try fields.tag()
        if tag == 0x0a { count += 1 }
        try fields.skip(tag, depth: 1)
      }
    } catch {
      throw FuzzFinding("a walked resource cannot be read again: \(error)")
    }
    return count
  }

  private static func edits(
    _ body: ByteRange, of request: [UInt8], _ owner: SpanAttributes.Owner, _ random: inout SeededGenerator
  ) throws(FuzzFinding) -> [AttributeEdit] {
    var attributes = SpanAttributes(body, of: request.span.bytes, owner: owner)
    var edits: [AttributeEdit] = []
    do throws(WireFault) {
      while let attribute = try attributes.next() {
        let text = Array(repeating: UInt8(ascii: "x"), count: attribute.ordinal % 200)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: edits.append(AttributeEdit(ordinal: attribute.ordinal, action: .drop))
        case 1: edits.append(AttributeEdit(ordinal: attribute.ordinal, action: .replaceString(text)))
        default: continue
        }
      }
    } catch {
      throw FuzzFinding("walked attributes cannot be read again: \(error)")
    }
    return edits
  }
}
