internal import LinearRegex
internal import Policy
internal import SwiftProtobuf
internal import TestKit
internal import TraceWire

/// All processors on a request: nothing blocked is left in any value, nothing but attributes and names is different,
/// and the request does not grow past its limit.
enum ProcessorsTarget {
  typealias Request = OTLPGenerator.Request
  private static let blocked = "[a-f]{2,}|example"

  private static func rules(_ input: inout FuzzInput) -> ProcessorRules? {
    guard let blocked = try? Pattern(blocked), let group = try? Pattern("(?P<tenant>[a-z]+)(?P<rest>.*)") else {
      return nil
    }
    var redaction = RedactionRules()
    redaction.allowsAllKeys = true
    redaction.blockedValues = [blocked]
    redaction.redactsAllTypes = input.flag()
    if input.flag() { redaction.summary = .debug }
    var rules = ProcessorRules()
    rules.redactions = [redaction]
    guard input.flag() else { return rules }
    rules.detected = [DetectedAttribute(key: "host.name", value: .string("cafe"), overrides: input.flag())]
    rules.resource = [AttributeAction(.upsert, key: "k", value: .string("abc"))]
    rules.attributes = [
      SpanActionRules([
        AttributeAction(.extract, key: "http.route", pattern: group), AttributeAction(.hash, key: "peer.service"),
        AttributeAction(.convert, key: "http.status_code", convertedType: .string),
      ]),
      SpanActionRules([
        AttributeAction(.insert, key: "copy", fromAttribute: "url.full"), AttributeAction(.delete, key: "db.system"),
      ]),
    ]
    var names = SpanNameRules()
    names.toAttributes = [group]
    rules.spanNames = [names]
    return rules
  }

  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    var input = FuzzInput(bytes)
    guard let rules = rules(&input), var processor = RequestProcessor(rules) else { return }
    var request = input.data
    var facts = RequestFacts()
    guard WalkedRequest.fault(request, &facts, keys: AttributeKeys()) == nil else { return }
    let oracle = try? Request(serializedBytes: request)
    if facts.isInPieces {
      let pieces = request
      request = try succeeds("joining pieces") { try RequestJoiner.joined(pieces.span.bytes) }
      guard WalkedRequest.fault(request, &facts, keys: AttributeKeys()) == nil, !facts.isInPieces else {
        throw FuzzFinding("joined to what cannot be read")
      }
    }
    var plan = RewritePlan()
    plan.reset(spans: facts.spans.count, resources: facts.resources.count)
    let unreadable = processor.process(facts, in: request.span.bytes, plan: &plan)
    try check(unreadable == 0, "\(unreadable) spans that a walk has read cannot be read")
    var output: [UInt8] = []
    let written = BatchWriter.append(
      0..<facts.spans.count, limit: .max, of: facts, in: request.span.bytes, plan: plan, to: &output)
    try check(written.written == facts.spans.count, "\(written.written) of \(facts.spans.count) spans")
    let parts = 400 * (facts.resources.count + facts.scopes.count + facts.spans.count)
    try check(output.count <= 16 * request.count + (2 << 20) + parts, "\(request.count) bytes became \(output.count)")
    var left = RequestFacts()
    if let fault = WalkedRequest.fault(output, &left, keys: AttributeKeys()) {
      throw FuzzFinding("wrote what cannot be read: \(fault)")
    }
    guard let oracle else { return }
    let decoded = try succeeds("decoding what was written") { try Request(serializedBytes: output) }
    try check(
      decoded.bare(names: rules.spanNames.isEmpty).encoded == oracle.bare(names: rules.spanNames.isEmpty).encoded,
      "made \(decoded.text) of \(oracle.text)")
    try checkValues(decoded)
  }

  /// Looks for what is blocked in every value of every valid span, and of their resources and scopes.
  private static func checkValues(_ request: Request) throws(FuzzFinding) {
    guard let pattern = try? Pattern(blocked) else { return }
    var matcher = Matcher(pattern)
    for resource in request.resourceSpans {
      let spans = resource.scopeSpans.flatMap(\.spans)
      if spans.contains(where: \.hasValidIDs) { try search(resource.resource.attributes, &matcher) }
      for scope in resource.scopeSpans where scope.spans.contains(where: \.hasValidIDs) {
        try search(scope.scope.attributes, &matcher)
      }
      for span in spans where span.hasValidIDs {
        try search(span.attributes, &matcher)
        for event in span.events { try search(event.attributes, &matcher) }
        for link in span.links { try search(link.attributes, &matcher) }
      }
    }
  }

  private static func search(_ attributes: [OTLPGenerator.KeyValue], _ matcher: inout Matcher) throws(FuzzFinding) {
    for attribute in attributes where !RedactionRules.keptKeys.contains(attribute.key) {
      // The summary has keys, which may look like anything.
      if attribute.key.hasPrefix("redaction.") { continue }
      try search(attribute.value, attribute.key, &matcher)
    }
  }

  private static func search(
    _ value: OTLPGenerator.AnyValue, _ key: String, _ matcher: inout Matcher
  ) throws(FuzzFinding) {
    switch value.value {
    case .stringValue(let text):
      let bytes = Array(text.utf8)
      let isBlocked = matcher.matches(bytes.span.bytes, in: 0..<bytes.count)
      try check(!isBlocked, "\(key) says \(text)")
    case .arrayValue(let array): for member in array.values { try search(member, key, &matcher) }
    case .kvlistValue(let list): for member in list.values { try search(member.value, member.key, &matcher) }
    default: break
    }
  }
}

extension OTLPGenerator.Span {
  fileprivate var hasValidIDs: Bool {
    traceID.count == 16 && spanID.count == 8 && traceID.contains { $0 != 0 } && spanID.contains { $0 != 0 }
  }
}

extension OTLPGenerator.Request {
  /// The request without what processors change, and without resources and scopes that have no span.
  fileprivate func bare(names keepsNames: Bool) -> OTLPGenerator.Request {
    var copy = self
    for resource in copy.resourceSpans.indices {
      copy.resourceSpans[resource].resource.attributes = []
      // A resource that was not there may have come for what was detected.
      if copy.resourceSpans[resource].resource == .init() { copy.resourceSpans[resource].clearResource() }
      for scope in copy.resourceSpans[resource].scopeSpans.indices {
        copy.resourceSpans[resource].scopeSpans[scope].scope.attributes = []
        if copy.resourceSpans[resource].scopeSpans[scope].scope == .init() {
          copy.resourceSpans[resource].scopeSpans[scope].clearScope()
        }
        for span in copy.resourceSpans[resource].scopeSpans[scope].spans.indices {
          copy.resourceSpans[resource].scopeSpans[scope].spans[span].strip(keepsName: keepsNames)
        }
      }
      copy.resourceSpans[resource].scopeSpans.removeAll { $0.spans.isEmpty }
    }
    copy.resourceSpans.removeAll { $0.scopeSpans.isEmpty }
    copy.unknownFields = .init()
    return copy
  }
}

extension OTLPGenerator.Span {
  fileprivate mutating func strip(keepsName: Bool) {
    if !keepsName { name = "" }
    attributes = []
    for event in events.indices { events[event].attributes = [] }
    for link in links.indices { links[link].attributes = [] }
  }
}
