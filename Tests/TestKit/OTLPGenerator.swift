import SwiftProtobuf

/// Random OTLP trace requests from a seed: `request` makes what SDKs send, `weirdBytes` what only the letter of
/// protobuf allows.
public struct OTLPGenerator {
  public typealias Request = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest
  public typealias Span = Opentelemetry_Proto_Trace_V1_Span
  public typealias KeyValue = Opentelemetry_Proto_Common_V1_KeyValue
  public typealias AnyValue = Opentelemetry_Proto_Common_V1_AnyValue

  /// Where all choices come from.
  public var random: SeededGenerator

  /// Makes a generator; equal seeds give equal requests.
  public init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  static let regions = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"]
  static let words = ["checkout", "cart", "order", "payment", "GET /products/{id}", "SELECT orders", "größe", ""]
  static let keys = [
    "peer.region", "server.region", "net.peer.region", "destination.region", "client.region", "source.region",
    "baggage.region", "server.address", "net.peer.name", "peer.service", "url.full", "client.address",
    "network.peer.address", "error", "http.response.status_code", "http.status_code", "http.request.method",
    "http.route", "db.system", "messaging.destination.name", "baggage.user", "baggage.tenant", "tenant", "thread.id",
    "http.request.header.baggage", "code.function", "peer.regiom", "server.regiom", "k", "",
  ]
  static let resourceKeys = [
    "service.name", "region", "cloud.region", "deployment.region", "topology.kubernetes.io/region", "host.name",
    "service.version", "telemetry.sdk.language", "topology.kubernetes.io/zone__",
  ]
  static let urls = [
    "https://orders.eu-west-1.example.com:8443/v1?x=1#top", "http://user:pw@host.example", "//no.scheme/x",
    "https://[2001:db8::1]:443/", "https://[2001:db8::1", "http:///path", "not a url", "ftp://h?q=@x", "a://b@c@d:1",
  ]

  /// A request of several resources and scopes with so many spans in all.
  public mutating func request(spans: Int) -> Request {
    var request = Request()
    var left = spans
    while left > 0 {
      var resource = Opentelemetry_Proto_Trace_V1_ResourceSpans()
      if !random.one(in: 10) {
        resource.resource.attributes = attributes(Int.random(in: 1...5, using: &random), Self.resourceKeys)
      }
      if random.one(in: 3) { resource.schemaURL = "https://opentelemetry.io/schemas/1.30.0" }
      for _ in 0..<Int.random(in: 1...3, using: &random) where left > 0 {
        let count = Int.random(in: 1...min(left, 20), using: &random)
        resource.scopeSpans.append(scope(spans: count))
        left -= count
      }
      request.resourceSpans.append(resource)
    }
    return request
  }

  /// The same, encoded.
  public mutating func requestBytes(spans: Int) -> [UInt8] {
    // An encoder of messages that are all made here has nothing to refuse.
    (try? request(spans: spans).serializedBytes()) ?? []
  }

  mutating func scope(spans: Int) -> Opentelemetry_Proto_Trace_V1_ScopeSpans {
    var scope = Opentelemetry_Proto_Trace_V1_ScopeSpans()
    if !random.one(in: 8) {
      scope.scope.name = pick(Self.words)
      scope.scope.version = "1.2.3"
      scope.scope.attributes = attributes(Int.random(in: 0...2, using: &random), Self.keys)
    }
    if random.one(in: 4) { scope.schemaURL = "https://opentelemetry.io/schemas/1.27.0" }
    for _ in 0..<spans { scope.spans.append(span()) }
    return scope
  }

  /// One span, seldom with an invalid ID.
  public mutating func span() -> Span {
    var span = Span()
    span.traceID = id(random.one(in: 30) ? pick([0, 8, 15, 17]) : 16)
    span.spanID = id(random.one(in: 30) ? pick([0, 7, 9]) : 8)
    if !random.one(in: 4) { span.parentSpanID = id(random.one(in: 20) ? 7 : 8) }
    if random.one(in: 3) { span.traceState = pick(Self.traceStates) }
    span.name = pick(Self.words)
    span.kind = Span.SpanKind(rawValue: Int.random(in: 0...6, using: &random)) ?? .unspecified
    span.startTimeUnixNano = 1_700_000_000_000_000_000 &+ random.next() % 1_000_000_000
    span.endTimeUnixNano = span.startTimeUnixNano &+ random.next() % 1_000_000_000
    span.attributes = attributes(Int.random(in: 0...12, using: &random), Self.keys)
    if random.one(in: 5) { span.droppedAttributesCount = random.one(in: 4) ? .max : 3 }
    for _ in 0..<(random.one(in: 3) ? 2 : 0) { span.events.append(event()) }
    for _ in 0..<(random.one(in: 5) ? 2 : 0) { span.links.append(link()) }
    if random.one(in: 2) {
      span.status.code = .init(rawValue: Int.random(in: 0...3, using: &random)) ?? .unset
      if random.one(in: 2) { span.status.message = pick(Self.words) }
    }
    span.flags = UInt32.random(in: 0...0x3ff, using: &random)
    return span
  }

  static let traceStates = [
    "ot=th:8", "ot=th:fd70a;rv:0123456789abcd", "vendor=x,ot=rv:ffffffffffffff", "congo=t61rcWkgMzE", "ot=",
    "ot=th:xyz;k:v",
    "a=1,b=2,ot=p:8;th:0",
  ]

  mutating func event() -> Span.Event {
    var event = Span.Event()
    event.timeUnixNano = random.next()
    event.name = pick(Self.words)
    event.attributes = attributes(Int.random(in: 0...3, using: &random), Self.keys)
    return event
  }

  mutating func link() -> Span.Link {
    var link = Span.Link()
    link.traceID = id(16)
    link.spanID = id(8)
    link.traceState = pick(Self.traceStates)
    link.attributes = attributes(Int.random(in: 0...3, using: &random), Self.keys)
    link.flags = 0x301
    return link
  }

  mutating func attributes(_ count: Int, _ keys: [String]) -> [KeyValue] {
    (0..<count).map { _ in
      var attribute = KeyValue()
      attribute.key = pick(keys)
      if !random.one(in: 40) { attribute.value = value(for: attribute.key, depth: 0) }
      return attribute
    }
  }

  mutating func value(for key: String, depth: Int) -> AnyValue {
    var value = AnyValue()
    switch Int.random(in: 0..<(depth < 4 ? 16 : 13), using: &random) {
    case 0: value.boolValue = random.one(in: 2)
    case 1: value.intValue = Int64.random(in: .min ... .max, using: &random)
    case 2: value.doubleValue = Double.random(in: -1e9...1e9, using: &random)
    case 3: value.bytesValue = id(5)
    case 4, 5: value.intValue = pick([200, 404, 499, 500, 503, 599, -500])
    case 6: value.stringValue = pick(["200", "499", "500", "503", "5xx", "00500", "true", "True", "false"])
    case 7: value.stringValueStrindex = 7
    case 13: value.arrayValue.values = (0..<3).map { _ in self.value(for: key, depth: depth + 1) }
    case 14:
      value.kvlistValue.values = (0..<2).map { _ in
        var inner = KeyValue()
        inner.key = pick(Self.keys)
        inner.value = self.value(for: key, depth: depth + 1)
        return inner
      }
    case 15: break
    default: value.stringValue = text(for: key)
    }
    return value
  }

  mutating func text(for key: String) -> String {
    if key.hasSuffix("region") { return pick(Self.regions + [""]) }
    if key == "url.full" { return pick(Self.urls) }
    return pick(Self.words)
  }

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &random)]
  }
}
