import Delivery
import Tenancy
import TestKit
import TraceWire

/// One span of a trace that crosses regions, as a model knows it.
struct ModelSpan: Hashable, Sendable {
  /// The trace's ID with its tenant's mask.
  var trace: TraceID
  var tenant: String?
  var id: UInt64
  /// 0 where it is the root.
  var parent: UInt64
  var region: String
  var kind: SpanFacts.Kind

  var key: Key { Key(trace: trace, id: id) }

  /// What a back end knows a span by.
  struct Key: Hashable, Sendable {
    var trace: TraceID
    var id: UInt64
  }
}

/// A batch that a relay has sent, or is to send again.
struct ModelBatch: Sendable {
  var spans: [ModelSpan]
  var body: [UInt8]
  var identity: BatchIdentity?
  /// The region its relay's certificate names; the resource names none then.
  var peerRegion: String?
  /// Whose spans they are.
  var tenant: String?
}

/// Whose spans there are in all lives of a model: two tenants' and nobody's.
enum ModelTenants {
  static let names = [nil, "a", "b"]
  private static let key = TenantKey([UInt8](repeating: 7, count: TenantKey.byteCount)) ?? .random()
  private static let known = new()

  /// The same masks each time; the numbers depend on the order in which tenants are met.
  static func new() -> Tenants { Tenants(TenantRules(), key: key) { 0 } }

  /// A trace's ID with its tenant's mask, or without it where it has that.
  static func setApart(_ trace: TraceID, _ tenant: String?) -> TraceID {
    let mask = tenant.flatMap { known.known($0)?.mask } ?? TraceID()
    return TraceID(high: trace.high ^ mask.high, low: trace.low ^ mask.low)
  }
}

/// Applications in three regions, and a relay in each: what they emit, in an order of its own on every relay.
struct ModelTraffic {
  static let regions = ["eu", "us", "ap"]

  /// What each region's relay has not sent yet.
  private var outboxes: [[ModelSpan]] = regions.map { _ in [] }
  private var sequences: [UInt64] = regions.map { _ in 0 }
  private var traces: UInt64 = 0
  /// Spans of the trace that was opened last, and whose they are.
  private var spans: UInt64 = 0
  private var tenant: String?
  private var batches = 0

  /// A trace begins: a call that goes on from region to region, and back. Three traces in a row have the same ID, and
  /// their spans too, and belong to others each.
  mutating func openTrace(_ random: inout SeededGenerator) {
    let number = traces / 3 + 1
    tenant = ModelTenants.names[Int(traces % 3)]
    let trace = ModelTenants.setApart(TraceID(high: number &* 0x1234_5678_9abc_def1, low: number), tenant)
    traces += 1
    spans = 0
    var region = Int.random(in: 0..<Self.regions.count, using: &random)
    var parent = emit(trace, 0, .server, region)
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let client = emit(trace, parent, .client, region)
      let other = (region + 1 + Int.random(in: 0..<2, using: &random)) % Self.regions.count
      let server = emit(trace, client, .server, other)
      if !random.one(in: 3) { (parent, region) = (server, other) }
    }
  }

  private mutating func emit(_ trace: TraceID, _ parent: UInt64, _ kind: SpanFacts.Kind, _ region: Int) -> UInt64 {
    spans += 1
    outboxes[region].append(
      ModelSpan(trace: trace, tenant: tenant, id: spans, parent: parent, region: Self.regions[region], kind: kind))
    return spans
  }

  /// The next batch of some relay: mostly what was emitted first. Nil where it has nothing.
  mutating func nextBatch(_ random: inout SeededGenerator) -> ModelBatch? {
    let relay = Int.random(in: 0..<Self.regions.count, using: &random)
    var spans: [ModelSpan] = []
    for _ in 0..<Int.random(in: 1...8, using: &random) where !outboxes[relay].isEmpty {
      let place = random.one(in: 3) ? Int.random(in: 0..<outboxes[relay].count, using: &random) : 0
      guard spans.allSatisfy({ $0.tenant == outboxes[relay][place].tenant }) else { break }
      spans.append(outboxes[relay].remove(at: place))
    }
    guard !spans.isEmpty else { return nil }
    sequences[relay] += 1
    batches += 1
    let peerRegion = relay == 0 ? Self.regions[relay] : nil
    let origin = BatchIdentity.Origin(high: 7, low: UInt64(relay), epoch: 1, region: peerRegion)
    let identity = random.one(in: 4) ? nil : BatchIdentity(origin: origin, sequence: sequences[relay])
    return ModelBatch(
      spans: spans, body: Self.body(spans, namesRegion: peerRegion == nil, number: batches), identity: identity,
      peerRegion: peerRegion, tenant: spans[0].tenant)
  }

  /// The link TTL of these traces is over: nobody emits anything more for them.
  mutating func retire(_ traces: Set<TraceID>) {
    for relay in outboxes.indices { outboxes[relay].removeAll { traces.contains($0.trace) } }
  }

  /// An OTLP request; the number makes it differ from all others.
  private static func body(_ spans: [ModelSpan], namesRegion: Bool, number: Int) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.message(1) { writer in
      writer.message(1) { resource in
        attribute("service.name", "shop", &resource)
        if namesRegion { attribute("region", spans[0].region, &resource) }
      }
      writer.message(2) { scope in
        scope.message(1) { $0.string(1, "batch \(number)") }
        for span in spans { scope.bytes(2, encoded(span)) }
      }
    }
    return writer.bytes
  }

  private static func attribute(_ key: String, _ value: String, _ writer: inout ProtobufWriter) {
    writer.message(1) { attribute in
      attribute.string(1, key)
      attribute.message(2) { $0.string(1, value) }
    }
  }

  private static func encoded(_ span: ModelSpan) -> [UInt8] {
    var writer = ProtobufWriter()
    let trace = ModelTenants.setApart(span.trace, span.tenant)
    writer.bytes(1, bigEndian(trace.high) + bigEndian(trace.low))
    writer.bytes(2, bigEndian(span.id))
    if span.parent != 0 { writer.bytes(4, bigEndian(span.parent)) }
    writer.string(5, "GET /")
    writer.varint(6, UInt64(span.kind.rawValue))
    writer.fixed64(7, 1_000_000)
    writer.fixed64(8, 2_000_000)
    return writer.bytes
  }

  private static func bigEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
  }
}
