public import TraceWire

/// One loop's processors at work: they change what of a request's plan is kept, after everything that looks at spans as
/// clients sent them (regions, routes, sampling, limits on baggage).
///
/// In this order: resources get what was detected and their actions, spans their actions and names, and at last
/// everything with attributes is redacted, so that nothing that an earlier one has made slips through. A span that no
/// processor changes stays where it is in the request.
public struct RequestProcessor: Sendable {
  /// Nil where the policy rewrites resources.
  private var resources: ResourceRewriter?
  private var spans: SpanProcessor
  private let leavesSpans: Bool
  private var growth = GrowthLimit()

  // Scratch, reused from request to request.
  private var keptResources: [Bool] = []
  private var keptScopes: [Bool] = []
  private var routesThere: Set<Int> = []

  /// Processors for one loop. `routes` are the redactions of routes, by the routes' numbers. With `rewritesResources`
  /// resources get what was detected and their actions here, and no region.
  public init(
    _ rules: ProcessorRules, routes: [RedactionRules?] = [], rewritesResources: Bool,
    seed: UInt64 = .random(in: .min ... .max)
  ) {
    let resourceRules = ResourceRules(rules.detected, rules.resource)
    if rewritesResources, !resourceRules.isEmpty {
      resources = ResourceRewriter(resourceRules, region: nil, hash: KeyedHash(seed: seed))
    }
    spans = SpanProcessor(rules, routes: routes)
    leavesSpans = rules.leavesSpans && routes.allSatisfy { $0 == nil }
  }

  /// The processors of a relay's policy, which rewrites resources itself; nil where they do nothing else.
  public init?(_ policy: RelayPolicy) {
    self.init(
      policy.configuration.processors, routes: policy.routes.routes.map(\.redaction), rewritesResources: false)
    if isIdle { return nil }
  }

  /// The processors of an aggregator; nil where they do nothing.
  public init?(_ rules: ProcessorRules) {
    self.init(rules, rewritesResources: true)
    if isIdle { return nil }
  }

  /// Whether every request stays as it is.
  private var isIdle: Bool { leavesSpans && resources == nil }

  /// What was done so far.
  public var total: ProcessorCounts {
    var total = ProcessorCounts()
    total.removed &+= spans.redacted.removed
    total.masked &+= spans.redacted.masked
    total.shortened &+= growth.shortened &+ (resources?.growth.shortened ?? 0)
    total.refused &+= growth.refused &+ spans.refused &+ (resources?.growth.refused ?? 0)
    return total
  }

  /// Changes the plan of a walked request; the request is not in pieces (`RequestFacts.isInPieces`). `routes` has the
  /// number of each span's route, or is empty.
  /// - Returns: How many spans are dropped because they cannot be read, which a walk would have found.
  public mutating func process(
    _ facts: borrowing RequestFacts, in bytes: RawSpan, routes: [Int] = [], plan: inout RewritePlan
  ) -> Int {
    growth.begin(requestBytes: bytes.byteCount)
    spans.begin(requestBytes: bytes.byteCount)
    keptResources.empty(capacityMax: 1 << 14)
    keptScopes.empty(capacityMax: 1 << 14)
    keptResources.append(contentsOf: repeatElement(false, count: facts.resources.count))
    keptScopes.append(contentsOf: repeatElement(false, count: facts.scopes.count))
    var unreadable = 0
    for index in facts.spans.indices {
      guard facts.spans[index].traits.isDisjoint(with: .invalid) else { continue }
      if case .drop = plan.spans[index] { continue }
      keptResources[Int(facts.spans[index].resource)] = true
      keptScopes[Int(facts.spans[index].scope)] = true
      guard !leavesSpans else { continue }
      do throws(WireFault) {
        try process(span: index, facts, bytes, route: routes.isEmpty ? -1 : routes[index], &plan)
      } catch {
        plan.spans[index] = .drop
        unreadable &+= 1
      }
    }
    for index in facts.resources.indices where keptResources[index] {
      if let action = resources?.rewrite(facts.resources[index], in: bytes, to: &plan.scratch) {
        plan.resources[index] = action
      }
      redact(resource: index, facts, bytes, routes, &plan)
    }
    guard spans.redacts else { return unreadable }
    for index in facts.scopes.indices where keptScopes[index] { redact(scope: index, facts, bytes, routes, &plan) }
    return unreadable
  }

  private mutating func process(
    span index: Int, _ facts: borrowing RequestFacts, _ bytes: RawSpan, route: Int, _ plan: inout RewritePlan
  ) throws(WireFault) {
    let span = facts.spans[index]
    var subject = SpanSubject()
    subject.kind = span.kind.rawValue
    subject.service = facts.resources[Int(span.resource)].service
    let isChanged: Bool
    if case .replace(let range) = plan.spans[index] {
      isChanged = try spans.process(range, of: plan.scratch.span.bytes, subject, bytes, route, &growth)
    } else {
      isChanged = try spans.process(span.body, of: bytes, subject, bytes, route, &growth)
    }
    guard isChanged else { return }
    plan.spans[index] = .replace(plan.scratch.append(whole: spans.output))
  }

  /// The routes of the spans in a range that are kept.
  private mutating func findRoutes(_ indices: Range<UInt32>, _ routes: [Int], _ plan: RewritePlan) {
    routesThere.removeAll(keepingCapacity: true)
    guard !routes.isEmpty else { return }
    for index in indices where routes[Int(index)] >= 0 {
      if case .drop = plan.spans[Int(index)] { continue }
      routesThere.insert(routes[Int(index)])
    }
  }

  /// A resource is redacted as each of its spans is: what one of them must not tell it must not tell either.
  private mutating func redact(
    resource index: Int, _ facts: borrowing RequestFacts, _ bytes: RawSpan, _ routes: [Int],
    _ plan: inout RewritePlan
  ) {
    guard spans.redacts else { return }
    findRoutes(facts.resources[index].spans, routes, plan)
    let isChanged: Bool
    if case .replace(let range) = plan.resources[index] {
      isChanged = spans.redact(range, of: plan.scratch.span.bytes, owner: .resource, routesThere)
    } else {
      isChanged = spans.redact(facts.resources[index].resource, of: bytes, owner: .resource, routesThere)
    }
    if isChanged { plan.resources[index] = .replace(plan.scratch.append(whole: spans.output)) }
  }

  private mutating func redact(
    scope index: Int, _ facts: borrowing RequestFacts, _ bytes: RawSpan, _ routes: [Int], _ plan: inout RewritePlan
  ) {
    let scope = facts.scopes[index].scope
    guard !scope.isEmpty else { return }
    findRoutes(facts.scopes[index].spans, routes, plan)
    guard spans.redact(scope, of: bytes, owner: .event, routesThere) else { return }
    if plan.scopes.isEmpty { plan.scopes.append(contentsOf: repeatElement(.keep, count: facts.scopes.count)) }
    plan.scopes[index] = .replace(plan.scratch.append(whole: spans.output))
  }
}

extension [UInt8] {
  /// Appends bytes, and says where they are.
  fileprivate mutating func append(whole bytes: [UInt8]) -> ByteRange {
    let start = count
    self += bytes
    return ByteRange(start, count)
  }
}
