import TraceWire

/// Writes requests whose changing parts are still to be filled in. Texts that do not change from request to request
/// are drawn from a seed, so that no two templates are alike.
struct TemplateWriter {
  private var numbers: SeededNumbers

  private static let agents = [
    "Go-http-client/1.1 (linux; amd64) shop/4.17.2", "okhttp/4.12.0 (Android 14; Pixel 8) shop-app/9.3.1",
    "python-httpx/0.27.2 reports/2.4.0 (batch; nightly)", "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Firefox/131.0",
  ]
  private static let routes = ["{id}", "{id}/items", "search/{term}", "{id}/reviews", "batch"]
  private static let methods = ["GET", "GET", "GET", "POST", "PUT"]
  private static let digits = "0000000000000000"

  init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

  /// The request of these spans: a resource for each service and region, in their order of appearance.
  mutating func request(_ plans: [SpanPlan]) -> WirePiece {
    var groups: [(service: Int, region: String, plans: [SpanPlan])] = []
    for plan in plans {
      if let group = groups.firstIndex(where: { $0.service == plan.service && $0.region == plan.region }) {
        groups[group].plans.append(plan)
      } else {
        groups.append((plan.service, plan.region, [plan]))
      }
    }
    var request = WirePiece()
    for group in groups { request.add(1, resource(group.service, group.region, group.plans)) }
    return request
  }

  private mutating func resource(_ service: Int, _ region: String, _ plans: [SpanPlan]) -> WirePiece {
    let name = Scenery.services[service]
    let pod = String(Int.random(in: 1_000_000...9_999_999, using: &numbers), radix: 36)
    var piece = WirePiece()
    piece.write { writer in
      writer.message(1) { writer in
        writer.attribute(1, "service.name", name)
        writer.attribute(1, "cloud.region", region)
        writer.attribute(1, "k8s.pod.name", "\(name)-7d4b9c6f5-\(pod)")
        writer.attribute(1, "telemetry.sdk.language", "go")
      }
    }
    var scope = WirePiece()
    scope.write { writer in
      writer.message(1) { writer in
        writer.string(1, "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
        writer.string(2, "0.58.0")
      }
    }
    for plan in plans { scope.add(2, span(plan)) }
    piece.add(2, scope)
    return piece
  }

  private mutating func span(_ plan: SpanPlan) -> WirePiece {
    let service = Scenery.services[plan.service]
    let route = "/api/v1/\(service)/\(pick(Self.routes))"
    let method = pick(Self.methods)
    let isError = Int.random(in: 0..<50, using: &numbers) == 0
    var places = SpanPlaces(trace: plan.trace, place: plan.place)
    var writer = ProtobufWriter()
    writer.bytes(1, repeatElement(0, count: 16))
    places.traceID = writer.bytes.count - 16
    writer.bytes(2, repeatElement(0, count: 8))
    places.spanID = writer.bytes.count - 8
    if let parent = plan.parent {
      writer.bytes(4, repeatElement(0, count: 8))
      places.parentID = writer.bytes.count - 8
      places.parent = parent
    }
    writer.string(5, "\(method) \(route)")
    writer.varint(6, plan.kind.rawValue)
    writer.fixed64(7, 0)
    places.start = writer.bytes.count - 8
    writer.fixed64(8, 0)
    places.end = writer.bytes.count - 8
    attributes(plan, method: method, route: route, isError: isError, &writer, &places)
    if (plan.trace + plan.place) % 10 == 0 { event(&writer, &places) }
    writer.message(15) { if isError { $0.varint(3, 2) } }
    // Whoever serves was called from another process.
    writer.fixed32(16, plan.kind == .server && plan.parent != nil ? 0x301 : 0x101)
    return WirePiece(writer, places)
  }

  /// Ten attributes. Those of every fourth trace hold baggage.
  private mutating func attributes(
    _ plan: SpanPlan, method: String, route: String, isError: Bool, _ writer: inout ProtobufWriter,
    _ places: inout SpanPlaces
  ) {
    let service = Scenery.services[plan.service]
    writer.attribute(9, "http.request.method", method)
    writer.attribute(9, "http.response.status_code", isError ? 503 : 200)
    writer.attribute(9, "http.route", route)
    writer.attribute(9, "url.path", "/api/v1/\(service)/\(Self.digits)")
    places.path = writer.bytes.count - Self.digits.utf8.count
    writer.attribute(9, "server.port", 8443)
    writer.attribute(9, "network.protocol.version", "1.1")
    writer.attribute(9, "user_agent.original", pick(Self.agents))
    writer.attribute(9, plan.trace % 4 == 3 ? "baggage.session" : "enduser.id", Self.digits)
    places.user = writer.bytes.count - Self.digits.utf8.count
    writer.attribute(9, "thread.id", Int.random(in: 1..<4096, using: &numbers))
    switch (plan.peer, plan.kind) {
    case (let peer?, .client): writer.attribute(9, "peer.region", peer)
    case (let peer?, .server): writer.attribute(9, "client.region", peer)
    case (nil, _): writer.attribute(9, "server.address", "\(service).shop.internal")
    }
  }

  private mutating func event(_ writer: inout ProtobufWriter, _ places: inout SpanPlaces) {
    let count = Int.random(in: 2..<9, using: &numbers)
    writer.message(11) { writer in
      writer.fixed64(1, 0)
      writer.string(2, "retry")
      writer.attribute(3, "retry.count", count)
      writer.attribute(3, "retry.reason", "upstream connect error or disconnect before headers")
    }
    // Everything behind the event's length is of known size, so the time is found from the end.
    let body = 9 + 2 + 5 + Self.sizeOfRetry
    places.event = writer.bytes.count - body + 1
  }

  /// Bytes of an event's two attributes.
  private static let sizeOfRetry: Int = {
    var writer = ProtobufWriter()
    writer.attribute(3, "retry.count", 2)
    writer.attribute(3, "retry.reason", "upstream connect error or disconnect before headers")
    return writer.bytes.count
  }()

  private mutating func pick(_ texts: [String]) -> String { texts[Int.random(in: 0..<texts.count, using: &numbers)] }
}

extension ProtobufWriter {
  fileprivate mutating func attribute(_ field: Int, _ key: String, _ value: String) {
    bytes(field, KeyValueEncoder.encode(key: key, value: .string(value)))
  }

  fileprivate mutating func attribute(_ field: Int, _ key: String, _ value: Int) {
    bytes(field, KeyValueEncoder.encode(key: key, value: .int(Int64(value))))
  }
}
