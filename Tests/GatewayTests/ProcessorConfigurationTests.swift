import Gateway
import LinearRegex
import Policy
import Testing
import TraceWire

/// What stands in `processors` and `routes[].redaction`: what it says, and what is wrong with it.
@Suite struct ProcessorConfigurationTests {
  private let fixture = ConfigurationFixture()

  private static let processors = #"""
    processors:
      resourcedetection: {detectors: [env, system, k8snode], override: false}
      k8sattributes: {podinfo: /etc/podinfo, extract: {metadata: [k8s.node.name, k8s.namespace.name]}}
      resource:
        attributes:
          - {key: a, from_attribute: b, default_value: 5, action: upsert}
          - {key: a, pattern: "^x(?P<n>.)$", action: extract}
          - {pattern: "^secret\\.", action: delete}
      attributes:
        include: {match_type: regexp, services: ["^shop"], span_kinds: [SPAN_KIND_SERVER]}
        exclude: {match_type: strict, span_names: [GET /health], attributes: [{key: k, value: 5}]}
        actions:
          - {key: a, action: hash, hash_key: sesame}
          - {key: a, action: convert, converted_type: int}
      span:
        name: {separator: "::", from_attributes: [a, b], to_attributes: {rules: ["^(?P<x>.)"], break_after_match: true}}
      redaction:
        allow_all_keys: true
        ignored_keys: [i]
        blocked_values: ["4[0-9]{15}$"]
        blocked_key_patterns: [".*token.*"]
        hash_function: hmac-sha256
        hash_key: sesame
        summary: debug

    """#

  @Test func bothRolesReadTheSame() throws {
    let relay = try fixture.relay(leastRelay + Self.processors).configuration
    let aggregator = try fixture.aggregator(Self.processors).configuration
    #expect(relay.editing == aggregator.editing)
    let rules = relay.editing.rules
    #expect(rules.resource.map(\.kind) == [.upsert, .extract, .delete])
    #expect(rules.resource[0].defaultValue == .int(5))
    #expect(rules.resource[1].pattern?.groups == [nil, "n"])
    #expect(rules.attributes[0].actions[0].hashKey == HashKey("sesame"))
    #expect(rules.attributes[0].actions[1].convertedType == .int)
    #expect(rules.attributes[0].filter.include?.kinds == [2])
    #expect(rules.attributes[0].filter.exclude?.names == .strict(["GET /health"]))
    #expect(rules.attributes[0].filter.exclude?.attributes == [.init(key: "k", value: .equal(.int(5)))])
    #expect(rules.spanNames.first?.separator == "::")
    #expect(rules.spanNames.first?.breakAfterMatch == true)
    #expect(rules.redactions.first?.blockedValues.map(\.source) == ["4[0-9]{15}$"])
    #expect(rules.redactions.first?.hashKey == HashKey("sesame", .hmacSHA256))
    #expect(rules.redactions.first?.summary == .debug)
    #expect(relay.editing.detection.detectors == [.env, .system, .k8snode])
    #expect(relay.editing.detection.podMetadata == [.node, .namespace])
    #expect(!relay.editing.detection.overrides)
    #expect(!relay.summary.json.contains("sesame"))
    #expect(relay.summary.json.contains("4[0-9]{15}$"))
  }

  @Test func severalOfAKindRunInTheFilesOrder() throws {
    let text = """
      processors:
        span/b: {name: {from_attributes: [b]}}
        attributes/late: {actions: [{key: a, action: delete}]}
        resource/x: {attributes: [{key: a, action: delete}]}
        attributes: {actions: [{key: b, action: delete}]}
        span/a: {name: {from_attributes: [a]}}
        resource: {attributes: [{key: b, action: delete}]}
        redaction/one: {allow_all_keys: true, blocked_values: [x]}
        redaction/two: {allowed_keys: [k]}

      """
    let rules = try fixture.relay(leastRelay + text).configuration.editing.rules
    #expect(rules.resource.map(\.key) == ["a", "b"])
    #expect(rules.attributes.map { $0.actions[0].key } == ["a", "b"])
    #expect(rules.spanNames.map(\.fromAttributes) == [["b"], ["a"]])
    #expect(rules.redactions.map(\.allowsAllKeys) == [true, false])
  }

  @Test func routesRedact() throws {
    let text = leastRelay + "routes: [{from: a, to: b, sampling: 1, redaction: {allowed_keys: [k]}}]"
    let relay = try fixture.relay(text).configuration
    #expect(relay.routes.first?.redaction?.allowedKeys == ["k"])
  }

  @Test func aRedactionThatAllowsNothingIsWarnedOf() throws {
    let loaded = try fixture.relay(leastRelay + "processors: {redaction: {blocked_values: [x]}}")
    #expect(loaded.warnings.contains { $0.keyPath == "processors.redaction" })
  }

  @Test(arguments: [
    (
      "resource: {attributes: [{key: a, action: extract, pattern: \"x(\"}]}",
      "resource.attributes[0].pattern: must be a regular expression (RE2 syntax), not \"x(\": `(` without `)` (character 2)"
    ),
    (
      "resource: {attributes: [{key: a, action: extract, pattern: \"(x)\"}]}",
      "resource.attributes[0].pattern: must have a named group such as (?P<name>...), not \"(x)\""
    ),
    (
      "attributes: {actions: [{action: delete}]}",
      "attributes.actions[0].key: is missing; it names the attribute; delete takes a pattern of keys, too"
    ),
    (
      "attributes: {actions: [{key: a, action: convert, converted_type: bool}]}",
      "attributes.actions[0].converted_type: must be one of int, double, string, not \"bool\""
    ),
    (
      "attributes: {actions: [{key: a, action: upsert, value: 1, from_attribute: b}]}",
      "attributes.actions[0].from_attribute: stands beside value; allowed is one of them"
    ),
    (
      "attributes: {actions: [{key: a, action: upsert, from_context: b}]}",
      "attributes.actions[0].value: is missing; upsert needs one, or from_attribute"
    ),
    (
      "attributes: {include: {services: [a]}, actions: []}",
      "attributes.include.match_type: is missing; allowed: strict, regexp"
    ),
    ("span: {name: {}}", "span.name: must have from_attributes or to_attributes"),
    (
      "redaction: {allow_all_keys: true, blocked_values: [\"a*\"]}",
      "redaction.blocked_values[0]: must not match the empty text, as \"a*\" does"
    ),
    (
      "redaction: {allow_all_keys: true, blocked_values: [\"(?=a)b\"]}",
      "redaction.blocked_values[0]: must be a regular expression (RE2 syntax), not \"(?=a)b\": lookahead and lookbehind need backtracking, which is not done here (character 1)"
    ),
    (
      "redaction: {allow_all_keys: true, hash_function: md5, hash_key: k}",
      "redaction.hash_function: must be one of hmac-sha256, hmac-sha512, not \"md5\""
    ),
    (
      "redaction: {allow_all_keys: true, hash_function: hmac-sha256}",
      "redaction.hash_key: is missing; hash_function needs one: hashes without a key can be undone by trying"
    ),
    ("redaction: {alow_all_keys: true}", "redaction.alow_all_keys: unknown key; did you mean allow_all_keys?"),
    (
      "resourcedetection: {detectors: [gcp]}",
      "resourcedetection.detectors[0]: must be one of env, system, k8snode, not \"gcp\""
    ),
    (
      "k8sattributes: {pod_association: []}",
      "k8sattributes.pod_association: needs the Kubernetes API, which is not asked here"
    ),
  ])
  func errorsNameTheirKey(_ processor: String, _ message: String) {
    for issues in [
      fixture.relayErrors(leastRelay + "processors:\n  " + processor),
      fixture.aggregatorErrors("\n\nprocessors:\n  " + processor),
    ] {
      #expect(issues.contains { $0.hasPrefix("a.yaml:4: processors." + message) }, "\(issues)")
    }
  }

  @Test func anAggregatorHasNoMemoryLimiter() {
    let issues = fixture.aggregatorErrors("processors: {memory_limiter: {limit_mib: 5}}")
    #expect(issues.count == 1)
    #expect(issues[0].contains("unknown key"))
  }
}
