import LinearRegex
import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@testable import Policy

/// Redaction through the walk and the writer; swift-protobuf reads what is left.
@Suite struct RedactionTests {
  private func left(_ rules: RedactionRules, _ attributes: OTLPAttribute...) throws -> [String] {
    try ProcessorRun.span(.making { $0.redactions = [rules] }, attributes).attributes.shown
  }

  @Test func keysThatAreNotAllowedAreRemoved() throws {
    var rules = RedactionRules()
    #expect(try left(rules, .init("a", "1"), .init("b", int: 2)) == [])
    rules.allowedKeys = ["b"]
    rules.ignoredKeys = ["c"]
    rules.ignoredKeyPatterns = [try Pattern("^safe\\.")]
    rules.blockedValues = [try Pattern("2")]
    #expect(
      try left(rules, .init("a", "1"), .init("b", "x2y"), .init("c", "2"), .init("safe.d", "2"))
        == ["b=x****y", "c=2", "safe.d=2"])
  }

  @Test func factsStay() throws {
    let facts: [OTLPAttribute] = [
      .init("region", "a"), .init("cloud.region", "b"), .init("deployment.region", "c"),
      .init("topology.kubernetes.io/region", "d"), .init("service.name", "s"), .init("error", "true"),
      .init("http.response.status_code", int: 500), .init("http.status_code", int: 500),
    ]
    var rules = RedactionRules()
    rules.blockedValues = [try Pattern(".")]
    rules.blockedKeyPatterns = [try Pattern(".")]
    let span = try ProcessorRun.span(.making { $0.redactions = [rules] }, facts + [.init("x", "y")])
    #expect(span.attributes == facts)
  }

  @Test func onlyWhatMatchesIsMasked() throws {
    let rules = try RedactionRules.making {
      $0.blockedValues = [
        try Pattern("4[0-9]{12}(?:[0-9]{3})?"), try Pattern(#"\b[\w.]+@[\w.]+\b"#), try Pattern("(?i)secret"),
      ]
      $0.allowedValues = [try Pattern("@mycompany\\.com$")]
    }
    #expect(
      try left(
        rules, .init("card", "no 4111111111111111, 4222222222222"), .init("mail", "to a.b@c.d"),
        .init("ours", "secret@mycompany.com"), .init("both", "SECRET a@b"), .init("n", int: 4_111_111_111_111_111))
        == [
          "card=no ****, ****", "mail=to ****", "ours=secret@mycompany.com", "both=**** ****",
          "n=int 4111111111111111",
        ])
  }

  @Test func blockedKeysMaskWholeValues() throws {
    let rules = try RedactionRules.making { $0.blockedKeyPatterns = [try Pattern("(?i)token|password")] }
    #expect(
      try left(
        rules, .init("api.Token", "abc def\nghi"), .init("password", int: 7), .init("tokens", .array([.text("x")])),
        .init("x", "token")) == ["api.Token=****", "password=****", "tokens=****", "x=token"])
  }

  @Test func numbersAreLookedAtWhereWanted() throws {
    let rules = try RedactionRules.making {
      $0.blockedValues = [try Pattern("4[0-9]{15}")]
      $0.redactsAllTypes = true
    }
    #expect(
      try left(rules, .init("card", int: 4_111_111_111_111_111), .init("n", int: 5)) == ["card=****", "n=int 5"])
  }

  /// What Python's `hmac.new(b"k", b"4111", "sha256")` gives.
  @Test func hashesAreKeyed() throws {
    let rules = try RedactionRules.making {
      $0.blockedValues = [try Pattern("[0-9]{4}")]
      $0.hashKey = HashKey("k")
    }
    #expect(
      try left(rules, .init("a", "x4111y"))
        == ["a=x3131d72bd1e6bcc4224da6993cdbe7def8a411f9072ac18150f529e2ecf1256cy"])
  }

  @Test func valuesInsideOfValuesAreMasked() throws {
    let rules = try RedactionRules.making {
      $0.blockedValues = [try Pattern("secret")]
      $0.blockedKeyPatterns = [try Pattern("^password$")]
      $0.ignoredKeys = ["fine"]
    }
    func list(_ members: OTLPAttribute...) -> OTLPValue { .with { $0.kvlistValue.values = members } }
    let value = list(
      .init("a", .array([.text("my secret"), .text("ok"), list(.init("b", "secret"), .init("n", int: 3))])),
      .init("password", int: 5), .init("fine", "secret"))
    let masked = list(
      .init("a", .array([.text("my ****"), .text("ok"), list(.init("b", "****"), .init("n", int: 3))])),
      .init("password", "****"), .init("fine", "secret"))
    let span = try ProcessorRun.span(.making { $0.redactions = [rules] }, [.init("v", value), .init("w", .array([]))])
    #expect(span.attributes == [.init("v", masked), .init("w", .array([]))])
    var deep = OTLPValue.text("secret")
    for _ in 0..<20 { deep = .array([deep]) }
    let cut = try ProcessorRun.span(.making { $0.redactions = [rules] }, [.init("v", deep)])
    #expect(!cut.attributes[0].value.textFormatString().contains("secret"))
    #expect(cut.attributes[0].value.textFormatString().contains("****"))
  }

  /// A value that comes twice, or in pieces: protobuf joins them, and so must who looks for secrets.
  @Test func oddEncodingsHideNothing() throws {
    let rules = try ProcessorRules.making {
      $0.redactions = [try RedactionRules.making { $0.blockedValues = [try Pattern("secret")] }]
    }
    func encoded(_ values: OTLPValue..., key: String = "k") throws -> [UInt8] {
      var writer = ProtobufWriter()
      for value in values { writer.bytes(2, try value.serializedBytes() as [UInt8]) }
      writer.string(1, key)
      return writer.bytes
    }
    let list = OTLPValue.with { $0.kvlistValue.values = [.init("a", "secret")] }
    let attributes = [
      try encoded(.text("secret"), .text("fine")), try encoded(.text("fine"), .text("secret")),
      try encoded(list, .with { $0.kvlistValue.values = [.init("b", "x")] }),
    ]
    var span = ProtobufWriter()
    span.bytes(1, Array(repeating: UInt8(1), count: 16))
    span.bytes(2, Array(repeating: UInt8(1), count: 8))
    for attribute in attributes { span.bytes(9, attribute) }
    var request = ProtobufWriter()
    request.message(1) { resourceSpans in
      // The resource in two pieces, with the secret in the first.
      for text in ["secret", "fine"] {
        resourceSpans.message(1) { resource in
          resource.bytes(1, KeyValueEncoder.encode(key: text, value: .string(text)))
        }
      }
      resourceSpans.message(2) { scopeSpans in
        for text in ["secret", "fine"] {
          scopeSpans.message(1) { scope in
            scope.bytes(3, KeyValueEncoder.encode(key: "s", value: .string(text)))
          }
        }
        scopeSpans.bytes(2, span.bytes)
      }
    }
    var run = ProcessorRun(rules)
    let output = try run.run(request.bytes)
    let resource = try #require(output.resourceSpans.first)
    #expect(resource.resource.attributes.shown == ["secret=****", "fine=fine"])
    #expect(resource.scopeSpans[0].scope.attributes.shown == ["s=****", "s=fine"])
    let text = String(decoding: run.output, as: UTF8.self)
    #expect(text.ranges(of: "secret").count == 1, "but for the key")
  }

  @Test func everythingWithAttributesIsReached() throws {
    let attributes = [OTLPAttribute("k", "secret"), OTLPAttribute("l", "x")]
    let safe = [OTLPAttribute("k", "****"), OTLPAttribute("l", "x")]
    func request(_ attributes: [OTLPAttribute]) -> OTLPRequest {
      var span = OTLPSpan(trace(0.1), attributes: attributes)
      span.events = [
        .with { $0.name = "plain" },
        .with {
          $0.name = "event"
          $0.attributes = attributes
          $0.droppedAttributesCount = 3
        },
      ]
      span.links = [
        .with {
          $0.traceID = trace(0.2).bytes
          $0.attributes = attributes
        }
      ]
      var request = OTLPRequest([span, OTLPSpan(trace(0.3))], resource: attributes)
      request.resourceSpans[0].scopeSpans[0].scope.name = "scope"
      request.resourceSpans[0].scopeSpans[0].scope.attributes = attributes
      request.resourceSpans[0].scopeSpans[0].schemaURL = "url"
      return request
    }
    let rules = try ProcessorRules.making {
      $0.redactions = [try RedactionRules.making { $0.blockedValues = [try Pattern("secret")] }]
    }
    var run = ProcessorRun(rules)
    #expect(try run.run(request(attributes)) == request(safe))
    #expect(run.processor.total.masked == 5)
    let untouched: [UInt8] = try request(safe).serializedBytes()
    _ = try run.run(untouched)
    #expect(run.output == untouched, "byte for byte")
  }

  @Test func theSummaryTells() throws {
    var rules = RedactionRules()
    rules.allowedKeys = ["a", "d"]
    rules.ignoredKeys = ["i"]
    rules.blockedValues = [try Pattern("secret")]
    rules.allowedValues = [try Pattern("^ok")]
    rules.summary = .debug
    let given: [OTLPAttribute] = [
      .init("a", "secret"), .init("z", "1"), .init("c", "1"), .init("i", "2"), .init("d", "ok secret"),
    ]
    #expect(
      try ProcessorRun.span(.making { $0.redactions = [rules] }, given).attributes.shown == [
        "a=****", "i=2", "d=ok secret", "redaction.redacted.keys=c,z", "redaction.redacted.count=int 2",
        "redaction.masked.keys=a", "redaction.masked.count=int 1", "redaction.allowed.keys=d",
        "redaction.allowed.count=int 1", "redaction.ignored.count=int 1",
      ])
    rules.summary = .info
    #expect(
      try ProcessorRun.span(.making { $0.redactions = [rules] }, [.init("a", "secret")]).attributes.shown
        == ["a=****", "redaction.masked.count=int 1"])
  }

  /// Finding every match must not take longer and longer, and hashes must not make a value many times as long.
  @Test func maskingIsBounded() throws {
    let slow = try RedactionRules.making { $0.blockedValues = [try Pattern("a.*b|a")] }
    let text = String(repeating: "a", count: 100_000)
    let left = try ProcessorRun.span(.making { $0.redactions = [slow] }, [.init("k", text)])
    #expect(!left.attributes[0].value.stringValue.contains("a"))
    let hashed = try RedactionRules.making {
      $0.blockedValues = [try Pattern("[a-z]")]
      $0.hashKey = HashKey("k", .hmacSHA512)
    }
    let long = try ProcessorRun.span(.making { $0.redactions = [hashed] }, [.init("k", text)])
    #expect(long.attributes[0].value.stringValue.utf8.count <= 4 * text.utf8.count + 2048)
  }

  /// Hashes of tiny values make a request many times as long: past the limit there are asterisks.
  @Test func hashesEndWhereARequestHasGrownEnough() throws {
    let rules = try RedactionRules.making {
      $0.blockedValues = [try Pattern("[0-9]")]
      $0.hashKey = HashKey("k")
    }
    let attributes = (0..<40_000).map { OTLPAttribute("k\($0)", "1") }
    let sent: [UInt8] = try OTLPRequest([OTLPSpan(trace(0.1), attributes: attributes)]).serializedBytes()
    var run = ProcessorRun(.making { $0.redactions = [rules] })
    let values = try run.run(sent).spans[0].attributes.map(\.value.stringValue)
    #expect(!values.contains("1"))
    #expect(values.first?.utf8.count == 64)
    #expect(values.last == "****")
    #expect(values.count { $0 == "****" } == run.processor.total.refused)
    #expect(run.output.count <= 3 * sent.count + GrowthLimit.requestBytesFree)
  }

  /// Two redactions, one after the other, of a great many attributes: the second one looks at what the first has made.
  @Test func manyAttributesAreRedactedTwice() throws {
    let first = try RedactionRules.making { $0.blockedValues = [try Pattern("secret")] }
    let second = try RedactionRules.making { $0.blockedValues = [try Pattern("card")] }
    let attributes = (0..<20_000).map { OTLPAttribute("k\($0)", "secret card") }
    let request = OTLPRequest([OTLPSpan(trace(0.1), attributes: attributes)])
    let bytes: [UInt8] = try request.serializedBytes()
    var facts = RequestFacts()
    try facts.walk(bytes.span.bytes, keys: AttributeKeys())
    var plan = RewritePlan()
    plan.reset(spans: 1, resources: 1)
    var processor = RequestProcessor(.making { $0.redactions = [first] }, routes: [second], rewritesResources: false)
    let unreadable = processor.process(facts, in: bytes.span.bytes, routes: [0], plan: &plan)
    #expect(unreadable == 0)
    var output: [UInt8] = []
    _ = BatchWriter.append(0..<1, limit: 1, of: facts, in: bytes.span.bytes, plan: plan, to: &output)
    let left = try OTLPRequest(serializedBytes: output).spans[0].attributes
    #expect(left.allSatisfy { $0.value.stringValue == "**** ****" })
    #expect(left.count == attributes.count)
  }

  /// What an earlier processor has made is redacted, too.
  @Test func redactionIsLast() throws {
    let rules = try ProcessorRules.making {
      $0.resource = [AttributeAction(.insert, key: "made", value: .string("secret"))]
      let part = AttributeAction(.extract, key: "a", pattern: try Pattern("(?P<part>[a-z]+)"))
      $0.attributes = [SpanActionRules([part])]
      $0.redactions = [
        try RedactionRules.making {
          $0.blockedValues = [try Pattern("secret")]
          $0.allowedValues = [try Pattern("^1secret$")]
        }
      ]
    }
    var run = ProcessorRun(rules)
    let output = try run.run(OTLPRequest([OTLPSpan(trace(0.1), attributes: [.init("a", "1secret")])]))
    #expect(output.spans[0].attributes.shown == ["a=1secret", "part=****"])
    #expect(output.resourceSpans[0].resource.attributes.shown.contains("made=****"))
  }
}
