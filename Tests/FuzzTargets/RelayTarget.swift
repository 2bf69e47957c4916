internal import Policy
internal import SwiftProtobuf
internal import TestKit
internal import TraceWire

/// A relay's policy and writer, against the contract's "Sampling, exactly" and "Baggage limits, exactly" written out on
/// decoded messages. Routes are left out: here every span has the default probability.
enum RelayTarget {
  typealias Request = OTLPGenerator.Request

  private static let limits = BaggageLimits(
    maxCount: 2, maxLength: 12, prefix: "baggage.", keys: ["tenant"],
    headerAttributes: ["http.request.header.baggage"], allow: [], deny: ["user", "secret"])

  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    let sampling = SamplingReference(
      probability: input.one(of: [1, 0.5, 0.1, 0]), mode: input.flag() ? .proportional : .equalizing)
    let isLimiting = input.flag()
    let configuration = PolicyConfiguration(
      region: "us-east-1", defaultProbability: sampling.probability, mode: sampling.mode,
      baggage: isLimiting ? limits : nil)
    var engine = PolicyEngine(RelayPolicy(configuration), memory: TraceMemory(seed: 1), seed: 2)
    let request = input.data
    var facts = RequestFacts()
    guard WalkedRequest.fault(request, &facts, keys: engine.attributeKeys) == nil else { return }
    var plan = RewritePlan()
    // Twice, for the second time caches of the first are used.
    var outputs: [[UInt8]] = []
    for now in [UInt64(1), 2] {
      let tally = engine.decide(facts, in: request.span.bytes, now: now, plan: &plan)
      let invalid = facts.spans.count { !$0.traits.isDisjoint(with: .invalid) }
      try check(tally.rejected == invalid, "\(tally.rejected) rejected, \(invalid) are invalid")
      try check(tally.kept + tally.sampledOut + tally.rejected == facts.spans.count, "spans that are not accounted for")
      var output: [UInt8] = []
      let result = BatchWriter.append(
        0..<facts.spans.count, limit: .max, of: facts, in: request.span.bytes, plan: plan, to: &output)
      try check(result.written == tally.kept, "\(result.written) written, \(tally.kept) kept")
      outputs.append(output)
    }
    try check(outputs[0] == outputs[1], "the same request left otherwise the second time")
    var left = RequestFacts()
    if let fault = WalkedRequest.fault(outputs[0], &left, keys: engine.attributeKeys) {
      throw FuzzFinding("forwards what cannot be read: \(fault)")
    }
    try check(left.resources.allSatisfy { !$0.region.isEmpty }, "a resource without a region")
    guard let oracle = try? Request(serializedBytes: request) else { return }
    let decoded = try succeeds("decoding what is forwarded") { try Request(serializedBytes: outputs[0]) }
    var spans = decoded.resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans)[...]
    for span in oracle.resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans) where span.isValid {
      guard var wanted = sampling.sampled(span) else { continue }
      guard let found = spans.popFirst() else { throw FuzzFinding("a span too few: \(wanted.text)") }
      if isLimiting {
        guard let limited = BaggageLimitReference.limit(wanted, limits) else { continue }
        wanted = limited
      }
      try check(found.encoded == wanted.encoded, "forwards \(found.text), not \(wanted.text)")
    }
    try check(spans.isEmpty, "spans too many")
  }
}

extension OTLPGenerator.Span {
  fileprivate var isValid: Bool {
    traceID.count == 16 && spanID.count == 8 && traceID.contains { $0 != 0 } && spanID.contains { $0 != 0 }
  }
}

/// The contract's sampling of a span without a route.
struct SamplingReference {
  let probability: Double
  let mode: SamplingMode

  /// The span as it leaves, nil where it is dropped.
  func sampled(_ span: OTLPGenerator.Span) -> OTLPGenerator.Span? {
    let state = TraceStateReference(Array(span.traceState.utf8))
    let randomness =
      state.randomness ?? span.traceID.suffix(7).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    var incoming = state.threshold
    let isContradicted = incoming.map { randomness < $0.rawValue } ?? false
    if isContradicted { incoming = nil }
    var own = Threshold(probability: probability)
    if mode == .proportional, let incoming, probability > 0, probability < 1 {
      own = Threshold(probability: probability * incoming.probability)
    }
    let threshold = max(own, incoming ?? .always)
    guard threshold.keeps(randomness: randomness) else { return nil }
    var span = span
    if probability < 1 {
      if incoming != threshold { span.traceState = text(state.setting(threshold)) }
    } else if isContradicted {
      span.traceState = text(state.setting(nil))
    }
    return span
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}

/// The contract's limits on baggage.
enum BaggageLimitReference {
  /// The span as it leaves; nil where it has baggage of a kind that is not written out here (numbers, lists).
  static func limit(_ span: OTLPGenerator.Span, _ limits: BaggageLimits) -> OTLPGenerator.Span? {
    var kept = 0
    func admits(_ name: [UInt8], _ valueLength: Int) -> Bool {
      let text = String(decoding: name, as: UTF8.self)
      if limits.deny.contains(where: { $0.utf8.elementsEqual(text.utf8) }) { return false }
      guard name.count + valueLength <= limits.maxLength, kept < limits.maxCount else { return false }
      kept += 1
      return true
    }
    var left = span
    left.attributes = []
    var dropped: UInt32 = 0
    for attribute in span.attributes {
      let isHeader = limits.headerAttributes.contains { $0.utf8.elementsEqual(attribute.key.utf8) }
      let prefix = Array((limits.prefix ?? "").utf8)
      let isPrefixed = attribute.key.utf8.starts(with: prefix)
      guard isHeader || isPrefixed || limits.keys.contains(where: { $0.utf8.elementsEqual(attribute.key.utf8) }) else {
        left.attributes.append(attribute)
        continue
      }
      guard case .stringValue(let value) = attribute.value.value else { return nil }
      var attribute = attribute
      if isHeader {
        let members = Array(value.utf8).pieces(",").map { BaggageReference($0) }
        let admitted = members.filter { admits($0.key, $0.valueLength) }
        if admitted.count < members.count {
          attribute.value = .with {
            $0.stringValue = String(decoding: Array(admitted.map(\.whole).joined(separator: ",".utf8)), as: UTF8.self)
          }
        }
        if admitted.isEmpty, !members.isEmpty { dropped += 1 } else { left.attributes.append(attribute) }
      } else if admits(Array(attribute.key.utf8.dropFirst(isPrefixed ? prefix.count : 0)), value.utf8.count) {
        left.attributes.append(attribute)
      } else {
        dropped += 1
      }
    }
    let (sum, overflow) = left.droppedAttributesCount.addingReportingOverflow(dropped)
    left.droppedAttributesCount = overflow ? .max : sum
    return left
  }
}
