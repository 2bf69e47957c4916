internal import TraceWire

/// A shop in three regions: the frontend in us-east-1 looks a product up in us-west-2, then places an order in
/// eu-west-1, which has payment made in us-east-1. One product lookup in ten fails with a database timeout.
/// The same seed makes the same traces.
struct DemoWorkload {
  static let regions = ["us-east-1", "us-west-2", "eu-west-1"]

  /// One visit to the shop: its spans in the order they ended, and the region pairs it crossed.
  struct Visit {
    var spans: [DemoSpan]
    var crossings: [RegionPair]
  }

  private var random: SeededRandom
  private var numberOfVisits = 0

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// The next visit, begun at `now` (nanoseconds since the Unix epoch).
  mutating func visit(now: UInt64) -> Visit {
    numberOfVisits += 1
    let traceID = TraceID(high: random.next(), low: random.next())
    let fails = numberOfVisits % 10 == 0
    var clock = now
    let root = SpanID(random.next() | 1)
    var spans: [DemoSpan] = []

    clock += milliseconds(2)
    let product = call(
      Leg(from: "us-east-1", to: "us-west-2", caller: "frontend", callee: "product", name: "GET /products/{id}"),
      parent: root, traceID: traceID, at: clock, work: 12, fails: fails, into: &spans)
    clock = product.end
    var crossings = [RegionPair(source: "us-east-1", target: "us-west-2")]
    if !fails {
      clock += milliseconds(3)
      let order = call(
        Leg(from: "us-east-1", to: "eu-west-1", caller: "frontend", callee: "order", name: "POST /orders"),
        parent: root, traceID: traceID, at: clock, work: 8, nested: true, into: &spans)
      clock = order.end
      crossings.append(RegionPair(source: "us-east-1", target: "eu-west-1"))
      crossings.append(RegionPair(source: "eu-west-1", target: "us-east-1"))
    }
    clock += milliseconds(1)
    spans.append(
      DemoSpan(
        traceID: traceID, spanID: root, name: "POST /checkout", kind: .server, start: now, end: clock,
        region: "us-east-1", service: "frontend",
        attributes: [("http.route", .string("/checkout")), ("http.response.status_code", .int(fails ? 502 : 200))]
          + baggage))
    return Visit(spans: spans, crossings: crossings)
  }

  /// More entries, and longer ones, than the demo's relays let through.
  private var baggage: [(key: String, value: AttributeValue)] {
    (1...12).map { ("baggage.item\($0)", .string($0 == 3 ? String(repeating: "x", count: 200) : "value\($0)")) }
  }

  private struct Leg {
    var from: String
    var to: String
    var caller: String
    var callee: String
    var name: String
  }

  /// A client span, its server span and what the server does; the client span's end tells the time after the call.
  private mutating func call(
    _ leg: Leg, parent: SpanID, traceID: TraceID, at start: UInt64, work: Double, fails: Bool = false,
    nested: Bool = false, into spans: inout [DemoSpan]
  ) -> (end: UInt64, id: SpanID) {
    let client = SpanID(random.next() | 1)
    let server = SpanID(random.next() | 1)
    let oneWay = milliseconds(Self.oneWayMilliseconds(leg.from, leg.to))
    let begun = start + oneWay
    var clock = begun + milliseconds(1)
    let query = clock + milliseconds(fails ? 50 : work)
    spans.append(
      DemoSpan(
        traceID: traceID, spanID: SpanID(random.next() | 1), parentID: server, name: "SELECT \(leg.callee)s",
        kind: .client, start: clock, end: query, region: leg.to, service: leg.callee,
        attributes: [("db.system.name", .string("postgresql"))], failure: fails ? "database timeout" : ""))
    clock = query
    if nested {
      let payment = Leg(
        from: "eu-west-1", to: "us-east-1", caller: "order", callee: "payment", name: "POST /payments")
      clock = call(payment, parent: server, traceID: traceID, at: clock, work: 5, into: &spans).end
    }
    let done = clock + milliseconds(1)
    let status = AttributeValue.int(fails ? 504 : 200)
    spans.append(
      DemoSpan(
        traceID: traceID, spanID: server, parentID: client, name: leg.name, kind: .server, start: begun, end: done,
        region: leg.to, service: leg.callee,
        attributes: [("client.region", .string(leg.from)), ("http.response.status_code", status)],
        failure: fails ? "database timeout" : ""))
    let end = done + oneWay
    spans.append(
      DemoSpan(
        traceID: traceID, spanID: client, parentID: parent, name: leg.name, kind: .client, start: start, end: end,
        region: leg.from, service: leg.caller,
        attributes: [("peer.region", .string(leg.to)), ("http.response.status_code", status)]))
    return (end, client)
  }

  /// About this long, a fifth more or less.
  private mutating func milliseconds(_ mean: Double) -> UInt64 {
    UInt64(mean * 1_000_000 * (0.8 + 0.4 * random.nextUnit()))
  }

  private static func oneWayMilliseconds(_ from: String, _ to: String) -> Double {
    from == "us-west-2" || to == "us-west-2" ? 32 : 40
  }
}

/// SplitMix64: the same seed gives the same numbers on every machine.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 up to 1.
  mutating func nextUnit() -> Double { Double(next() >> 11) / Double(1 << 53) }
}
