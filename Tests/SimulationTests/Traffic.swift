import TraceWire

/// One span as an application makes it.
struct MadeSpan {
  var traceID: TraceID
  var spanID: SpanID
  var parentID = SpanID()
  var region: String
  var service: String
  var kind: SpanFacts.Kind
  /// The region of the span at the other end: what a client calls, who a server is called by.
  var peer: String?
  var isError = false
  var nanoseconds: UInt64 = 1_000_000

  func write(to writer: inout ProtobufWriter) {
    writer.message(1) { writer in
      writer.message(1) { resource in
        resource.bytes(1, KeyValueEncoder.encode(key: "service.name", value: .string(service)))
      }
      writer.message(2) { $0.message(2) { writeMessage(to: &$0) } }
    }
  }

  private func writeMessage(to span: inout ProtobufWriter) {
    span.bytes(1, Self.bigEndian(traceID.high) + Self.bigEndian(traceID.low))
    span.bytes(2, Self.bigEndian(spanID.rawValue))
    if parentID.isValid { span.bytes(4, Self.bigEndian(parentID.rawValue)) }
    span.string(5, "GET /products/{id}")
    span.varint(6, UInt64(kind.rawValue))
    span.fixed64(7, 1_700_000_000_000_000_000)
    span.fixed64(8, 1_700_000_000_000_000_000 + nanoseconds)
    if let peer {
      let key = kind == .server ? "client.region" : "peer.region"
      span.bytes(9, KeyValueEncoder.encode(key: key, value: .string(peer)))
    }
    if isError { span.message(15) { $0.varint(3, 2) } }
  }

  private static func bigEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * $0)) }
  }
}

/// What applications in all regions do: traces of calls, some of them into other regions.
final class Traffic {
  /// What a request of an application does not exceed.
  static let requestBytesMax = 3000

  private let world: World
  private let regions: [String]
  /// Whether a trace calls from the region it called into.
  private let isChained: Bool
  private(set) var spans: [MadeSpan] = []

  init(_ world: World, regions: [String], isChained: Bool) {
    self.world = world
    self.regions = regions
    self.isChained = isChained
  }

  /// Makes one trace; its spans in the order they end.
  func makeTrace() -> [MadeSpan] {
    let trace = TraceID(high: world.random.next(), low: world.random.next() | 1)
    let region = world.pick(regions)
    var made: [MadeSpan] = []
    func add(_ kind: SpanFacts.Kind, in region: String, parent: SpanID, peer: String? = nil) -> SpanID {
      let id = SpanID(world.random.next() | 1)
      made.append(
        MadeSpan(
          traceID: trace, spanID: id, parentID: parent, region: region, service: "service-\(world.number(0...3))",
          kind: kind, peer: peer, isError: world.chance(0.1), nanoseconds: world.delay(0...second)))
      return id
    }
    /// A call and what comes of it; gives the server's span.
    func call(from source: String, to target: String, parent: SpanID) -> SpanID {
      let client = add(.client, in: source, parent: parent, peer: target)
      return add(.server, in: target, parent: client, peer: source)
    }
    let root = add(.server, in: region, parent: SpanID())
    if world.chance(0.5) { _ = add(.internal, in: region, parent: root) }
    if world.chance(0.3) { _ = call(from: region, to: region, parent: root) }
    guard world.chance(0.7) else { return finish(made) }
    let target = world.pick(regions.filter { $0 != region })
    let server = call(from: region, to: target, parent: root)
    if isChained, world.chance(0.5) {
      _ = call(from: target, to: world.pick(regions.filter { $0 != target }), parent: server)
    }
    return finish(made)
  }

  private func finish(_ made: [MadeSpan]) -> [MadeSpan] {
    spans += made
    return made
  }

  /// The requests that bring spans to their regions' relays, a few spans each.
  func requests(of made: [MadeSpan]) -> [(region: String, body: [UInt8])] {
    var requests: [(region: String, body: [UInt8])] = []
    for region in regions {
      var rest = made.filter { $0.region == region }
      rest.shuffle(using: &world.random)
      while !rest.isEmpty {
        let count = min(rest.count, world.number(1...6))
        var writer = ProtobufWriter()
        for span in rest.prefix(count) { span.write(to: &writer) }
        rest.removeFirst(count)
        requests.append((region, writer.bytes))
      }
    }
    return requests
  }
}

/// An application's exporter for one request: sends it until it is acknowledged.
final class Sender {
  private let world: World
  private let body: [UInt8]
  private let path: Path?
  private unowned let relay: Relay
  private(set) var isAcknowledged = false
  private var attempt = 0

  /// Without a path no answer is ever lost, so that a relay sees each request it accepts once.
  init(_ world: World, _ body: [UInt8], to relay: Relay, over path: Path?) {
    self.world = world
    self.body = body
    self.relay = relay
    self.path = path
  }

  func send() {
    guard !isAcknowledged else { return }
    attempt += 1
    let current = attempt
    let answer: (Reception) -> Void = { [self] reception in
      switch reception {
      case .accepted: isAcknowledged = true
      case .malformed: world.fault("a request that cannot be read")
      case .overload:
        guard current == attempt else { return }
        world.after(world.delay(200 * millisecond...2 * second)) { [self] in if current == attempt { send() } }
      }
    }
    guard let path else { return relay.receive(body, identity: nil, completion: answer) }
    path.carry(body, answer: answer)
    world.after(10 * second) { [self] in if current == attempt { send() } }
  }
}
