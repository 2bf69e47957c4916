import LinearRegex
import SwiftProtobuf
import TestKit
import Testing
import TraceWire

@testable import Policy

/// Actions on spans' attributes, and spans' names, through the walk and the writer; swift-protobuf reads what is left.
@Suite struct AttributeActionTests {
  private func run(_ actions: AttributeAction..., on attributes: OTLPAttribute...) throws -> [String] {
    try ProcessorRun.span(.making { $0.attributes = [SpanActionRules(actions)] }, attributes).attributes.shown
  }

  @Test func valuesComeFromTheRuleOrAnotherAttribute() throws {
    let upsert = AttributeAction(.upsert, key: "a", value: .int(7))
    #expect(try run(upsert, on: .init("b", "x")) == ["b=x", "a=int 7"])
    #expect(try run(upsert, on: .init("a", "x"), .init("b", "y"), .init("a", "z")) == ["b=y", "a=int 7"])
    let copy = AttributeAction(.insert, key: "c", fromAttribute: "a", defaultValue: .string("none"))
    #expect(try run(copy, on: .init("a", int: 5)) == ["a=int 5", "c=int 5"])
    #expect(try run(copy, on: .init("b", "x")) == ["b=x", "c=none"])
    #expect(try run(copy, on: .init("c", "x"), .init("a", "y")) == ["c=x", "a=y"])
    #expect(try run(AttributeAction(.update, key: "c", fromAttribute: "a"), on: .init("a", "x")) == ["a=x"])
  }

  @Test func keysAreDeletedAndHashedByPattern() throws {
    let secret = try Pattern("(?i)^http\\..*(token|cookie)")
    #expect(
      try run(
        AttributeAction(.delete, key: "x", pattern: secret), on: .init("x", "1"), .init("http.Set-Cookie", "2"),
        .init("http.route", "3")) == ["http.route=3"])
    let hashes = try run(
      AttributeAction(.hash, pattern: secret), AttributeAction(.hash, key: "n"), on: .init("http.token", "abc"),
      .init("n", int: 12), .init("m", "x"))
    #expect(
      hashes == [
        "http.token=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "n=6b51d431df5d7f141cbececcf79edf3dd861c3b4069f0b11661a3eefacbba918", "m=x",
      ])
    let keyed = try run(AttributeAction(.hash, key: "n", hashKey: HashKey("key")), on: .init("n", "what do ya want"))
    // Python's hmac.new(b"key", b"what do ya want", "sha256").
    #expect(keyed == ["n=26785c3dd201f1dafbc5c0e0e393ed7736e0889c1c208270bcf985ec06246336"])
  }

  @Test func groupsBecomeAttributes() throws {
    let url = try Pattern(#"^(?P<http_protocol>.*):\/\/(?P<http_domain>.*?)\/(?P<http_path>[^?]*)(\?(?<query>.*))?$"#)
    let extract = AttributeAction(.extract, key: "url", pattern: url)
    #expect(
      try run(extract, on: .init("url", "http://example.com/a/b"), .init("http_path", "old"))
        == ["url=http://example.com/a/b", "http_protocol=http", "http_domain=example.com", "http_path=a/b"])
    #expect(try run(extract, on: .init("url", "nothing")) == ["url=nothing"])
    #expect(try run(extract, on: .init("url", int: 5)) == ["url=int 5"])
  }

  @Test func valuesAreConverted() throws {
    func to(_ type: AttributeAction.ValueType) -> AttributeAction {
      AttributeAction(.convert, key: "a", convertedType: type)
    }
    #expect(try run(to(.int), on: .init("a", "-12")) == ["a=int -12"])
    #expect(try run(to(.int), on: .init("a", "12x")) == ["a=12x"])
    #expect(try run(to(.int), on: .init("a", .with { $0.doubleValue = 2.9 })) == ["a=int 2"])
    #expect(try run(to(.int), on: .init("a", .with { $0.doubleValue = .infinity })) == ["a=double inf"])
    #expect(try run(to(.double), on: .init("a", "1.5")) == ["a=double 1.5"])
    #expect(try run(to(.double), on: .init("a", int: 3)) == ["a=double 3.0"])
    #expect(try run(to(.string), on: .init("a", int: 3)) == ["a=3"])
    #expect(try run(to(.string), on: .init("a", .with { $0.boolValue = true })) == ["a=true"])
    #expect(try run(to(.int), on: .init("a", .with { $0.boolValue = true })) == ["a=int 1"])
    #expect(try run(to(.string), on: .init("a", .array([.text("x")]))).count == 1)
  }

  @Test func filtersSayWhichSpans() throws {
    func run(_ change: (inout SpanFilterRules) throws -> Void, _ attributes: OTLPAttribute...) throws -> Bool {
      let rules = try ProcessorRules.making {
        $0.attributes = [SpanActionRules([AttributeAction(.upsert, key: "hit", value: .bool(true))])]
        try change(&$0.attributes[0].filter)
      }
      var span = OTLPSpan(trace(0.1), kind: .server, attributes: attributes)
      span.name = "GET /cart"
      var run = ProcessorRun(rules)
      let request = OTLPRequest([span], resource: [OTLPAttribute("service.name", "shop")])
      return try run.run(request).spans[0].attributes.contains { $0.key == "hit" }
    }
    func properties(
      _ change: (inout SpanFilterRules.Properties) throws -> Void
    ) rethrows -> SpanFilterRules.Properties {
      var properties = SpanFilterRules.Properties()
      try change(&properties)
      return properties
    }
    #expect(try run { $0.include = properties { $0.services = .strict(["shop", "x"]) } })
    #expect(try !run { $0.include = properties { $0.services = .strict(["sho"]) } })
    #expect(try run { $0.include = try properties { $0.services = .patterns([try Pattern("^s.op$")]) } })
    #expect(try !run { $0.exclude = try properties { $0.names = .patterns([try Pattern("^GET ")]) } })
    #expect(try run { $0.exclude = try properties { $0.names = .patterns([try Pattern("^POST ")]) } })
    #expect(try run { $0.include = properties { $0.kinds = [2] } })
    #expect(try !run { $0.include = properties { $0.kinds = [3] } })
    let wants = properties { $0.attributes = [.init(key: "n", value: .equal(.int(5)))] }
    #expect(try run({ $0.include = wants }, .init("n", int: 5)))
    #expect(try !run({ $0.include = wants }, .init("n", "5")))
    #expect(try !run { $0.include = wants })
    #expect(try run({ $0.include = properties { $0.attributes = [.init(key: "n")] } }, .init("n", "x")))
    let both = try properties {
      $0.services = .strict(["shop"])
      $0.attributes = [.init(key: "n", value: .matching(try Pattern("^x+$")))]
    }
    #expect(try run({ $0.include = both }, .init("n", "xx")))
    #expect(try !run({ $0.include = both }, .init("n", "xy")))
  }

  // MARK: Names

  private func named(
    _ change: (inout SpanNameRules) throws -> Void, _ name: String, _ attributes: OTLPAttribute...
  ) throws -> [String] {
    var names = SpanNameRules()
    try change(&names)
    let span = try ProcessorRun.span(.making { $0.spanNames = [names] }, attributes, name: name)
    return [span.name] + span.attributes.shown
  }

  @Test func namesBecomeAttributes() throws {
    let document = try Pattern(#"^\/api\/v1\/document\/(?P<documentId>.*)\/update$"#)
    #expect(
      try named({ $0.toAttributes = [document] }, "/api/v1/document/123/update")
        == ["/api/v1/document/{documentId}/update", "documentId=123"])
    #expect(try named({ $0.toAttributes = [document] }, "/api") == ["/api"])
    let rules = [try Pattern("(?P<a>[0-9]+)"), try Pattern("(?P<b>x(?P<c>y)?)")]
    #expect(try named({ $0.toAttributes = rules }, "1/xy/2") == ["{a}/{b}/2", "a=1", "b=xy", "c=y"])
    #expect(
      try named(
        {
          $0.toAttributes = rules
          $0.breakAfterMatch = true
        }, "1/xy") == ["{a}/xy", "a=1"])
    #expect(
      try named(
        {
          $0.toAttributes = rules
          $0.keepOriginalName = true
        }, "1/x") == ["1/x", "a=1", "b=x"])
  }

  @Test func attributesBecomeNames() throws {
    func join(_ names: inout SpanNameRules) {
      names.fromAttributes = ["db.svc", "operation"]
      names.separator = "::"
    }
    #expect(
      try named({ join(&$0) }, "old", .init("operation", int: 5), .init("db.svc", "pg"))
        == ["pg::5", "operation=int 5", "db.svc=pg"])
    #expect(try named({ join(&$0) }, "old", .init("operation", "x")) == ["old", "operation=x"])
    #expect(try named({ join(&$0) }, "", .init("db.svc", "a"), .init("operation", "b"))[0] == "a::b")
  }

  // MARK: Several of one kind

  @Test func eachSeesWhatThoseBeforeItHaveMade() throws {
    var marked = SpanFilterRules.Properties()
    marked.attributes = [.init(key: "a", value: .equal(.int(1)))]
    var verbs = SpanNameRules()
    verbs.toAttributes = [try Pattern("^(?P<verb>GET|POST)")]
    var joined = SpanNameRules()
    joined.fromAttributes = ["verb", "b"]
    joined.separator = "-"
    joined.filter.exclude = SpanFilterRules.Properties()
    joined.filter.exclude?.names = .strict(["{verb} /health"])
    let rules = try ProcessorRules.making {
      $0.attributes = [
        SpanActionRules([AttributeAction(.insert, key: "a", value: .int(1))]),
        SpanActionRules([AttributeAction(.insert, key: "b", fromAttribute: "a")]),
      ]
      $0.attributes[1].filter.include = marked
      $0.spanNames = [verbs, joined]
      $0.redactions = [
        try .making { $0.blockedValues = [try Pattern("GET")] },
        try .making { $0.blockedValues = [try Pattern("[*]{3}")] },
      ]
    }
    let cart = try ProcessorRun.span(rules, [], name: "GET /cart")
    #expect(cart.name == "GET-1")
    #expect(cart.attributes.shown == ["a=int 1", "b=int 1", "verb=*****"])
    let probe = try ProcessorRun.span(rules, [], name: "GET /health")
    #expect(probe.name == "{verb} /health", "the filter looks at the name as it is by then")
  }

  // MARK: Limits

  @Test func aRequestGrowsNoFurtherThanItMay() throws {
    let rules = try ProcessorRules.making {
      $0.attributes = [
        SpanActionRules([
          AttributeAction(.extract, key: "long", pattern: try Pattern("^(?P<a>.*)$")),
          AttributeAction(.upsert, key: "b", fromAttribute: "long"),
        ])
      ]
    }
    var run = ProcessorRun(rules)
    let long = String(repeating: "é", count: 5000)
    let one = try run.run(OTLPRequest([OTLPSpan(trace(0.1), attributes: [.init("long", long)])])).spans[0]
    #expect(one.attributes.map { $0.value.stringValue.utf8.count } == [10_000, 4096, 4096])
    #expect(run.processor.total.shortened == 2)
    let spans = (0..<1000).map { _ in OTLPSpan(trace(0.1), attributes: [.init("long", long)]) }
    let request = OTLPRequest(spans)
    let before: [UInt8] = try request.serializedBytes()
    _ = try run.run(before)
    #expect(run.processor.total.refused == 0, "twice the request and a mebibyte are enough")
    let small = (0..<20_000).map { _ in OTLPSpan(trace(0.1)) }
    var inserts = ProcessorRun(
      .making {
        let value = AttributeValue.string(String(repeating: "v", count: 400))
        $0.attributes = [SpanActionRules([AttributeAction(.insert, key: "k", value: value)])]
      })
    let sent: [UInt8] = try OTLPRequest(small).serializedBytes()
    let left = try inserts.run(sent)
    #expect(left.spans.count == small.count)
    #expect(inserts.output.count <= 2 * sent.count + GrowthLimit.requestBytesFree + 8 * small.count)
    #expect(inserts.processor.total.refused > 0)
    #expect(left.spans.count { $0.attributes.isEmpty } == inserts.processor.total.refused)
  }
}
