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
  /// Length of its name.
  var size = 20
  /// In place of `region`: bytes that need not be text.
  var regionBytes: [UInt8]?

  var traceID: TraceID { TraceID(high: trace &* 0x1234_5678_9abc_def1, low: trace) }
  var weight: Double { threshold?.adjustedCount ?? 1 }
}

/// The spans as a request that has been walked, each with a resource of its own.
func request(_ spans: [TestSpan], peerRegion: String? = nil) -> ReceivedRequest {
  var writer = ProtobufWriter()
  for span in spans { span.writeResourceSpans(to: &writer) }
  var facts = RequestFacts()
  do throws(WireFault) {
    try facts.walk(writer.bytes.span.bytes, keys: AttributeKeys())
  } catch {
    preconditionFailure("a test's request can be read: \(error)")
  }
  return ReceivedRequest(bytes: writer.bytes, facts: facts, peerRegion: peerRegion)
}

extension TestSpan {
  func writeResourceSpans(to writer: inout ProtobufWriter) {
    writer.message(1) { writer in
      writer.message(1) { resource in
        if let service { Self.attribute("service.name", Array(service.utf8), &resource) }
        if let name = regionBytes ?? region.map({ Array($0.utf8) }) { Self.attribute("region", name, &resource) }
      }
      writer.message(2) { $0.bytes(2, encoded) }
    }
  }

  private static func attribute(_ key: String, _ value: [UInt8], _ writer: inout ProtobufWriter) {
    writer.message(1) { attribute in
      attribute.string(1, key)
      attribute.message(2) { $0.bytes(1, value) }
    }
  }

  /// The span's OTLP message.
  var encoded: [UInt8] {
    var writer = ProtobufWriter()
    writer.bytes(1, Self.bigEndian(traceID.high) + Self.bigEndian(traceID.low))
    writer.bytes(2, Self.bigEndian(id))
    if let threshold { writer.string(3, "ot=th:" + String(decoding: threshold.hexDigits, as: UTF8.self)) }
    if parent != 0 { writer.bytes(4, Self.bigEndian(parent)) }
    writer.bytes(5, [UInt8](repeating: 0x61, count: size))
    writer.varint(6, UInt64(kind.rawValue))
    writer.fixed64(7, start)
    writer.fixed64(8, end)
    if isError { writer.message(15) { $0.varint(3, 2) } }
    return writer.bytes
  }

  private static func bigEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
  }
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

/// What a shard is given for a request that it may keep.
final class TestLease {}

extension StitchingShard {
  /// Takes in spans of a request that may be kept, or may not.
  @discardableResult func ingest(_ spans: [TestSpan], at now: UInt64 = 0, isKept: Bool = true) -> IngestReport {
    ingest(
      request(spans), spans: Array(0..<UInt32(spans.count)), now: now, lease: isKept ? TestLease() : nil)
  }

  /// Closes all that is due, however many calls it takes.
  func settle(at now: UInt64) -> [ClosedTrace] { settled(at: now).flatMap(\.traces) }

  /// The same, with the spans' bytes.
  func settled(at now: UInt64) -> [Closing.Part] {
    var all: [Closing.Part] = []
    repeat { all += advance(to: now).parts } while nextDeadline.map { $0 <= now } ?? false
    return all
  }
}

extension Closing.Part {
  /// The spans' messages by trace, each trace's sorted.
  func messages() throws -> [TraceID: [[UInt8]]] {
    var facts = RequestFacts()
    try facts.walk(payload.span.bytes, keys: AttributeKeys())
    return Dictionary(grouping: facts.spans, by: \.traceID).mapValues { spans in
      spans.map { Array(payload[$0.body.indices]) }.sorted { $0.lexicographicallyPrecedes($1) }
    }
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
