public import TraceWire

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What the facts of a span ought to say, from a message that swift-protobuf decoded.
public struct OracleSpan: Equatable, Sendable {
  var traceID = [UInt8]()
  var spanID: UInt64 = 0
  var parentID: UInt64 = 0
  var start: UInt64 = 0
  var end: UInt64 = 0
  var flags: UInt32 = 0
  var kind: UInt8 = 0
  var isError = false
  var isBaggage = false
  var isInvalidTraceID = false
  var isInvalidSpanID = false
  /// Tracestate, callee's and caller's region, callee's host, caller's host, peer's address.
  public var texts: [String] = []
  var resource = 0
  var scope = 0
}

extension OracleSpan {
  /// The baggage configuration that requests are to be walked with.
  public static let keys = AttributeKeys(
    prefix: "baggage.", keys: ["tenant", "peer.service"], headerAttributes: ["http.request.header.baggage"])

  init(_ span: OTLPGenerator.Span, resource: Int, scope: Int) {
    let isInvalidTrace = span.traceID.count != 16 || span.traceID.allSatisfy { $0 == 0 }
    let isInvalidSpan = span.spanID.count != 8 || span.spanID.allSatisfy { $0 == 0 }
    isInvalidTraceID = isInvalidTrace
    isInvalidSpanID = isInvalidSpan
    traceID = span.traceID.count == 16 ? Array(span.traceID) : Array(repeating: 0, count: 16)
    spanID = word(span.spanID)
    parentID = word(span.parentSpanID)
    start = span.startTimeUnixNano
    end = span.endTimeUnixNano
    flags = span.flags
    let number = span.kind.rawValue
    kind = (0...5).contains(number) ? UInt8(number) : 0
    isError = span.isErrorByContract
    isBaggage = span.attributes.contains {
      $0.key.hasPrefix("baggage.") || ["tenant", "peer.service", "http.request.header.baggage"].contains($0.key)
    }
    let host = span.attributes.first(["server.address", "net.peer.name", "peer.service"])
    texts = [
      span.traceState,
      span.attributes.first(["peer.region", "server.region", "net.peer.region", "destination.region"]),
      span.attributes.first(["client.region", "source.region", "baggage.region"]),
      host.isEmpty ? span.attributes.firstURLHost : host,
      span.attributes.first(["client.address"]),
      span.attributes.first(["network.peer.address"]),
    ]
    self.resource = resource
    self.scope = scope
  }

  /// The same of what a walk found.
  public init(_ facts: SpanFacts, in bytes: [UInt8]) {
    traceID = [facts.traceID.high, facts.traceID.low].flatMap { word in
      stride(from: UInt64(56), through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
    }
    spanID = facts.spanID.rawValue
    parentID = facts.parentID.rawValue
    start = facts.start
    end = facts.end
    flags = facts.flags
    kind = facts.kind.rawValue
    isError = facts.traits.contains(.error)
    isBaggage = facts.traits.contains(.baggage)
    isInvalidTraceID = facts.traits.contains(.invalidTraceID)
    isInvalidSpanID = facts.traits.contains(.invalidSpanID)
    texts = [
      facts.traceState, facts.calleeRegion, facts.callerRegion, facts.calleeHost, facts.callerHost, facts.peerAddress,
    ].map { bytes.text($0) }
    resource = Int(facts.resource)
    scope = Int(facts.scope)
  }

  /// Every span of a decoded request, in order.
  public static func all(in request: OTLPGenerator.Request) -> [OracleSpan] {
    var scopes = 0
    var spans: [OracleSpan] = []
    for (resource, resourceSpans) in request.resourceSpans.enumerated() {
      for scope in resourceSpans.scopeSpans {
        spans += scope.spans.map { OracleSpan($0, resource: resource, scope: scopes) }
        scopes += 1
      }
    }
    return spans
  }
}

private func word(_ id: Data) -> UInt64 { id.count == 8 ? id.reduce(0) { $0 << 8 | UInt64($1) } : 0 }

extension [UInt8] {
  /// The bytes in a range.
  public func part(_ range: ByteRange) -> [UInt8] { Array(self[range.indices]) }

  /// The text in a range.
  public func text(_ range: ByteRange) -> String { String(decoding: self[range.indices], as: UTF8.self) }
}

extension OTLPGenerator.Span {
  fileprivate var isErrorByContract: Bool {
    if status.code.rawValue == 2 { return true }
    let isCall = kind == .server || kind == .client
    return attributes.contains { attribute in
      switch (attribute.key, attribute.value.value) {
      case ("error", .boolValue(let flag)): flag
      case ("error", .stringValue(let text)): text == "true"
      case ("http.response.status_code", .intValue(let code)), ("http.status_code", .intValue(let code)):
        isCall && code >= 500
      case ("http.response.status_code", .stringValue(let text)), ("http.status_code", .stringValue(let text)):
        isCall && text.utf8.allSatisfy { (0x30...0x39).contains($0) } && (Int(text) ?? 0) >= 500
      default: false
      }
    }
  }
}

extension [OTLPGenerator.KeyValue] {
  /// The first string that is not empty, of the first key that has one.
  public func first(_ keys: [String]) -> String {
    for key in keys {
      for attribute in self where attribute.key == key {
        if case .stringValue(let text) = attribute.value.value, !text.isEmpty { return text }
      }
    }
    return ""
  }

  /// The hosts of the generator's URLs, written down by hand.
  fileprivate var firstURLHost: String {
    let hosts = [
      "https://orders.eu-west-1.example.com:8443/v1?x=1#top": "orders.eu-west-1.example.com",
      "http://user:pw@host.example": "host.example", "https://[2001:db8::1]:443/": "2001:db8::1", "ftp://h?q=@x": "h",
      "a://b@c@d:1": "d",
    ]
    for attribute in self where attribute.key == "url.full" {
      if case .stringValue(let text) = attribute.value.value, let host = hosts[text] { return host }
    }
    return ""
  }
}
