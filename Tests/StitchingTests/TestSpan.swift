import Stitching
import Telemetry
import TestKit
import TraceWire

let second: UInt64 = 1_000_000_000

/// A span as a test describes it.
struct TestSpan: Hashable {
  var trace: UInt64 = 1
  var id: UInt64 = 1
  var parent: UInt64 = 0
  var region: String? = "us"
  var service: String? = "shop"
  var kind = SpanFacts.Kind.internal
  var isError = false
  var start: UInt64 = 1_000
  var end: UInt64 = 2_000
  var threshold: Threshold?
  var size = 20

  var traceID: TraceID { TraceID(high: trace &* 0x1234_5678_9abc_def1, low: trace) }
  var weight: Double { threshold?.adjustedCount ?? 1 }
}

/// A request with hand-made facts: its bytes are no OTLP but hold what the facts point to.
func request(_ spans: [TestSpan], peerRegion: String? = nil) -> ReceivedRequest {
  var bytes: [UInt8] = [0]
  var facts = RequestFacts()
  func put(_ text: some Sequence<UInt8>) -> ByteRange {
    let start = bytes.count
    bytes.append(contentsOf: text)
    return ByteRange(start, bytes.count)
  }
  for span in spans {
    var resource = ResourceFacts()
    if let region = span.region { resource.region = put(region.utf8) }
    if let service = span.service { resource.service = put(service.utf8) }
    facts.resources.append(resource)
    var fact = SpanFacts()
    fact.traceID = span.traceID
    fact.spanID = SpanID(span.id)
    fact.parentID = SpanID(span.parent)
    fact.start = span.start
    fact.end = span.end
    fact.kind = span.kind
    fact.resource = UInt32(facts.resources.count - 1)
    fact.body = put([UInt8](repeating: 7, count: span.size))
    fact.record = fact.body
    if span.isError { fact.traits.insert(.error) }
    if let threshold = span.threshold {
      fact.traits.insert(.hasThreshold)
      fact.threshold = threshold
    }
    facts.spans.append(fact)
  }
  return ReceivedRequest(bytes: bytes, facts: facts, peerRegion: peerRegion)
}

/// A shard with a fixed secret.
func shard(
  _ limits: StitchingLimits = StitchingLimits(), flow: FlowLimits = FlowLimits(), names: FlowNames? = nil,
  now: UInt64 = 0
) -> StitchingShard {
  StitchingShard(
    limits: limits, flow: flow, names: names ?? FlowNames(limits: flow), hash: KeyedHash(0x1111_2222, 0x3333_4444),
    now: now)
}

extension StitchingShard {
  @discardableResult func ingest(_ spans: [TestSpan], at now: UInt64 = 0) -> IngestReport {
    ingest(request(spans), spans: Array(0..<UInt32(spans.count)), now: now)
  }

  /// Closes all that is due, however many calls it takes.
  func settle(at now: UInt64) -> [ClosedTrace] {
    var all: [ClosedTrace] = []
    repeat { all += advance(to: now) } while nextDeadline.map { $0 <= now } ?? false
    return all
  }
}

/// All series of a snapshot by name and labels; a histogram gives its count, its sum and its buckets.
func series(_ snapshot: FlowSnapshot, ignoring ignored: Set<String> = []) -> [String: Double] {
  var all: [String: Double] = [:]
  for family in snapshot.families() where !ignored.contains(family.name) {
    for sample in family.samples {
      let labels = sample.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
      switch sample.value {
      case .number(let number):
        precondition(all["\(family.name){\(labels)}"] == nil, "a series comes up once")
        all["\(family.name){\(labels)}"] = number
      case .histogram(let histogram):
        precondition(all["\(family.name)_sum{\(labels)}"] == nil, "a series comes up once")
        all["\(family.name)_sum{\(labels)}"] = histogram.sum
        for (index, count) in histogram.counts.enumerated() {
          all["\(family.name)_\(index){\(labels)}"] = count
        }
      }
    }
  }
  return all
}

/// What differs between two sets of series, a missing one counting as 0.
func differences(_ left: [String: Double], _ right: [String: Double]) -> [String] {
  Set(left.keys).union(right.keys).sorted().compactMap { key in
    let (first, second) = (left[key] ?? 0, right[key] ?? 0)
    let tolerance = 1e-9 * max(1, abs(first), abs(second))
    return abs(first - second) <= tolerance ? nil : "\(key): \(first) is not \(second)"
  }
}
