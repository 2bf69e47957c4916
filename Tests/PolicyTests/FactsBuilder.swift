import Policy
import TraceWire

/// A seeded generator (SplitMix64), so that a failure can be repeated.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}

/// Facts made by hand, as the walk would make them, with the bytes their ranges point into.
struct FactsBuilder {
  var bytes: [UInt8] = []
  var facts = RequestFacts()

  /// Adds text to the bytes.
  mutating func text(_ text: String) -> ByteRange {
    guard !text.isEmpty else { return ByteRange() }
    let start = bytes.count
    bytes += Array(text.utf8)
    return ByteRange(start, bytes.count)
  }

  /// Opens a resource that the following spans belong to.
  mutating func resource(region: String = "") {
    var resource = ResourceFacts()
    resource.region = text(region)
    let next = UInt32(facts.spans.count)
    resource.spans = next..<next
    facts.resources.append(resource)
  }

  /// Adds a span whose randomness is the trace's low 56 bits.
  mutating func span(
    _ traceID: TraceID, _ kind: SpanFacts.Kind = .internal, callee: String = "", caller: String = "",
    calleeHost: String = "", callerHost: String = "", peerAddress: String = "", th: String? = nil, rv: UInt64? = nil,
    parent: UInt64 = 1, traits: SpanFacts.Traits = []
  ) {
    if facts.resources.isEmpty { resource() }
    var span = SpanFacts()
    span.traceID = traceID
    span.spanID = SpanID(UInt64(facts.spans.count + 1))
    span.parentID = SpanID(parent)
    span.kind = kind
    span.traits = traits
    span.randomness = traceID.low & (Threshold.limit - 1)
    if let rv {
      span.randomness = rv
      span.traits.insert(.hasRandomness)
    }
    if let th, let threshold = Threshold(hex: Array(th.utf8)) {
      span.threshold = threshold
      span.traits.insert([.hasThreshold, .hasOT])
      span.traceState = text("ot=th:\(th)")
    }
    span.calleeRegion = text(callee)
    span.callerRegion = text(caller)
    span.calleeHost = text(calleeHost)
    span.callerHost = text(callerHost)
    span.peerAddress = text(peerAddress)
    span.resource = UInt32(facts.resources.count - 1)
    facts.spans.append(span)
    let last = facts.resources.count - 1
    facts.resources[last].spans = facts.resources[last].spans.lowerBound..<UInt32(facts.spans.count)
  }
}

extension PolicyEngine {
  /// Decides what a builder holds.
  mutating func decide(_ request: FactsBuilder, now: UInt64 = 0, plan: inout RewritePlan) -> PolicyTally {
    decide(request.facts, in: request.bytes.span.bytes, now: now, plan: &plan)
  }

  /// Which spans of a request are kept.
  mutating func kept(_ request: FactsBuilder, now: UInt64 = 0) -> [Bool] {
    var plan = RewritePlan()
    _ = decide(request, now: now, plan: &plan)
    return plan.spans.map { if case .drop = $0 { false } else { true } }
  }
}

/// An ID whose randomness is a share of the whole range.
func trace(_ share: Double, _ number: UInt64 = 1) -> TraceID {
  TraceID(high: number, low: 0xab << 56 | UInt64(share * Double(Threshold.limit)))
}
