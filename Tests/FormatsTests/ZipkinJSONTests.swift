import Formats
import TestKit
import Testing
import TraceWire

private func translate(_ json: String) throws -> Translated {
  try Translated(ZipkinJSON.translate([UInt8](json.utf8).span.bytes))
}

private func one(_ members: String) throws -> Translated.Placed {
  try #require(try translate("[{\(members)}]").placed.first)
}

private func fault(_ json: String) -> WireFault? {
  let bytes = [UInt8](json.utf8)
  return fault { () throws(WireFault) in try ZipkinJSON.translate(bytes.span.bytes) }
}

@Suite("Zipkin v2 JSON") struct ZipkinJSONTests {
  /// The example of Zipkin's API page ("Span" in zipkin2-api.yaml).
  @Test func everyField() throws {
    let placed = try one(
      """
      "id": "352bff9a74ca9ad2", "traceId": "5af7183fb1d4cf5f", "parentId": "6b221d5bc9e6496c", "name": "get /api",
      "timestamp": 1556604172355737, "duration": 1431, "kind": "SERVER", "shared": false, "debug": true,
      "localEndpoint": {"serviceName": "backend", "ipv4": "192.168.99.1", "port": 3306},
      "remoteEndpoint": {"serviceName": "frontend", "ipv4": "172.19.0.2", "ipv6": "2001:db8::1", "port": 58648},
      "annotations": [{"timestamp": 1556604172355800, "value": "cache \\u00fcber"}, {"timestamp": 1, "value": ""}],
      "tags": {"http.method": "GET", "http.path": "/api", "quote\\"d": "a\\nb"}
      """)
    let span = placed.span
    #expect(span.ids == ["00000000000000005af7183fb1d4cf5f", "352bff9a74ca9ad2", "6b221d5bc9e6496c"])
    #expect(span.name == "get /api")
    #expect(span.kind == .server)
    #expect(span.startTimeUnixNano == 1_556_604_172_355_737_000)
    #expect(span.endTimeUnixNano == 1_556_604_172_357_168_000)
    #expect(span.flags == 1)
    #expect(span.events.map(\.name) == ["cache über", ""])
    #expect(span.events.map(\.timeUnixNano) == [1_556_604_172_355_800_000, 1000])
    #expect(placed.resource == ["service.name": "backend"])
    #expect(
      span.tags == [
        "http.method": "GET", "http.path": "/api", "quote\"d": "a\nb", "network.local.address": "192.168.99.1",
        "network.local.port": "int 3306", "peer.service": "frontend", "client.address": "172.19.0.2",
        "client.port": "int 58648",
      ])
    #expect(!span.hasStatus)
  }

  @Test(arguments: [
    ("CLIENT", "server"), ("PRODUCER", "server"), ("SERVER", "client"), ("CONSUMER", "client"), ("", "network.peer"),
  ]) func theRemoteEndpointIsTheOtherSide(_ kind: String, _ side: String) throws {
    let endpoint = #""remoteEndpoint":{"serviceName":"db","ipv6":"2001:db8::2","port":5432}"#
    let kind = kind.isEmpty ? "" : #""kind":"\#(kind)","#
    #expect(
      try one(kind + endpoint).span.tags
        == ["peer.service": "db", "\(side).address": "2001:db8::2", "\(side).port": "int 5432"])
    // What a tag says already is not said twice.
    let tags = #","tags":{"peer.service":"mine","\#(side).address":"db.example.com"}"#
    #expect(
      try one(kind + endpoint + tags).span.tags == ["peer.service": "mine", "\(side).address": "db.example.com"])
  }

  @Test func kinds() throws {
    let spans = try translate(
      #"[{"kind":"CLIENT"},{"kind":"SERVER"},{"kind":"PRODUCER"},{"kind":"CONSUMER"},{},{"kind":null},{"kind":"X"}]"#
    ).spans
    #expect(spans.map(\.kind) == [.client, .server, .producer, .consumer, .internal, .internal, .internal])
  }

  @Test(arguments: [
    ("1", "00000000000000000000000000000001"), ("00f067aa0ba902b7", "000000000000000000f067aa0ba902b7"),
    ("4BF92F3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("10f067aa0ba902b7a", "0000000000000010f067aa0ba902b7a".padded),
    ("4bf92f3577b34da6a3ce929d0e0e47361", ""), ("", ""), ("0000000000000000", ""),
  ]) func traceIDs(_ text: String, _ wanted: String) throws {
    #expect(hex(try one(#""traceId":"\#(text)""#).span.traceID) == wanted)
  }

  @Test func aSpanIsNotItsOwnParent() throws {
    #expect(try one(#""id":"00000000000000ab","parentId":"ab""#).span.parentSpanID.isEmpty)
  }

  @Test(arguments: [
    (#""error":"""#, 2, ""), (#""error":"true""#, 2, ""), (#""error":true"#, 2, ""),
    (#""error":"no route""#, 2, "no route"),
    (#""otel.status_code":"ERROR","error":"late""#, 2, "late"), (#""otel.status_code":"OK""#, 1, ""),
    (#""otel.status_code":"STATUS_CODE_ERROR","otel.status_description":"why""#, 2, "why"),
    (#""otel.status_code":"UNSET""#, 0, ""),
  ]) func errorsBecomeTheStatus(_ tags: String, _ code: Int, _ message: String) throws {
    let span = try one(#""tags":{\#(tags)}"#).span
    #expect(span.status.code.rawValue == code)
    #expect(span.status.message == message)
    #expect(span.attributes.isEmpty)
  }

  @Test func errorFalseIsAnAttribute() throws {
    let span = try one(#""tags":{"error":"false","otel.status_code":"SOME"}"#).span
    #expect(!span.hasStatus)
    #expect(span.tags == ["error": "false", "otel.status_code": "SOME"])
  }

  @Test func valuesThatAreNoStringsAreReadAsWritten() throws {
    let span = try one(#""tags":{"n":12,"d":-1.50e3,"t":true,"f":false,"nothing":null}"#).span
    #expect(span.tags == ["n": "12", "d": "-1.50e3", "t": "true", "f": "false"])
  }

  @Test func whatTheEmitterSaysOfItselfIsTheResource() throws {
    let placed = try one(
      #"""
      "localEndpoint":{"serviceName":"Shop"},"tags":{"cloud.region":"us-east-1","k8s.pod.name":"p","http.route":"/",
      "otel.scope.name":"lib","otel.library.name":"lib","otel.scope.version":"2","w3c.tracestate":"ot=th:8",
      "otel.dropped_attributes_count":"3","otel.dropped_events_count":"4","otel.dropped_links_count":"5",
      "service.name":"SHOP","span.kind":"internal"}
      """#)
    #expect(placed.resource == ["cloud.region": "us-east-1", "k8s.pod.name": "p", "service.name": "SHOP"])
    #expect(placed.scope == "lib@2")
    #expect(placed.span.tags == ["http.route": "/"])
    #expect(placed.span.traceState == "ot=th:8")
    #expect(placed.span.droppedAttributesCount == 3)
    #expect(placed.span.droppedEventsCount == 4)
    #expect(placed.span.droppedLinksCount == 5)
    #expect(placed.span.kind == .internal)
  }

  @Test(arguments: [
    "region", "cloud.region", "deployment.region", "topology.kubernetes.io/region",
  ]) func regionsBelongToTheResource(_ key: String) throws {
    #expect(try one(#""tags":{"\#(key)":"eu"}"#).resource == [key: "eu"])
  }

  @Test func spansAreSortedByEndpointAndScope() throws {
    let result = try translate(
      #"""
      [{"name":"1","localEndpoint":{"serviceName":"a"}},{"name":"2","localEndpoint":{"serviceName":"b"}},
      {"name":"3","localEndpoint":{"serviceName":"a"}},{"name":"4","localEndpoint":{"serviceName":"a"},
      "tags":{"otel.scope.name":"s"}},{"name":"5"}]
      """#)
    #expect(
      result.placed.map { $0.span.name + ($0.resource["service.name"] ?? "") + $0.scope } == [
        "1a@", "3a@", "2b@", "4as@", "5@",
      ])
    #expect(result.resourceCount == 4)
  }

  @Test func moreResourcesThanAreOpenAtOnce() throws {
    let spans = (0..<1500).map { #"{"name":"\#($0)","localEndpoint":{"serviceName":"s\#($0 % 750)"}}"# }
    let result = try translate("[" + spans.joined(separator: ",") + "]")
    #expect(result.spans.count == 1500)
    #expect(result.resourceCount <= 1500)
    for placed in result.placed { #expect(placed.resource["service.name"] == "s\((Int(placed.span.name) ?? 0) % 750)") }
  }

  @Test(arguments: [
    #"{"cache miss": {"key": "größe", "n": 3, "d": 0.5, "b": true}}"#,
    #""cache miss":{"key":"größe","n":3,"d":0.5,"b":true}"#,
  ]) func eventsOfOpenTelemetryAreReadBack(_ value: String) throws {
    let quoted = value.replacing("\"", with: "\\\"")
    let span = try one(#""annotations":[{"timestamp":7,"value":"\#(quoted)"},{"timestamp":8,"value":"plain"}]"#).span
    #expect(span.events.map(\.name) == ["cache miss", "plain"])
    #expect(texts(span.events[0].attributes) == ["key": "größe", "n": "int 3", "d": "double 0.5", "b": "bool true"])
    #expect(span.events[1].attributes.isEmpty)
  }

  @Test(arguments: [
    "{", "\\\"", "{\\\"a\\\":1}", "{\\\"a\\\":{\\\"b\\\":[1]}}", "{\\\"a\\\":{}} ",
    "{\\\"a\\\":{\\\"k\\\":1},\\\"b\\\":{}}",
  ]) func otherAnnotationsAreNames(_ value: String) throws {
    let span = try one(#""annotations":[{"timestamp":7,"value":"\#(value)"}]"#).span
    #expect(span.events.map(\.name) == [value == "{\\\"a\\\":{}} " ? "a" : value.replacing("\\\"", with: "\"")])
    #expect(!span.events.contains { !$0.attributes.isEmpty })
  }

  // MARK: Times

  @Test(
    arguments: [
      (#""timestamp":5,"duration":6"#, 5000, 11000), (#""timestamp":5"#, 5000, 5000), (#""duration":6"#, 0, 6000),
      (#""timestamp":"5","duration":"6""#, 5000, 11000), (#""timestamp":5.0e0 ,"duration":-1"#, 5000, 5000),
      (#""timestamp":18446744073709551615,"duration":1"#, UInt64.max, UInt64.max),
      (
        #""timestamp":null,"annotations":[{"timestamp":9,"value":"b"},{"timestamp":8,"value":"a"}],"duration":1"#, 8000,
        9000
      ),
    ] as [(String, UInt64, UInt64)]) func times(_ members: String, _ start: UInt64, _ end: UInt64) throws
  {
    let span = try one(members).span
    #expect(span.startTimeUnixNano == start)
    #expect(span.endTimeUnixNano == end)
  }

  // MARK: Faults

  @Test(
    arguments: [
      ("", .truncated, 0), ("{}", .badValue, 0), ("null", .badValue, 0), ("[", .truncated, 1), ("[{}", .truncated, 3),
      ("[{}]x", .badSyntax, 4), ("[1]", .badValue, 1), (#"[{"id":1}]"#, .badValue, 7),
      (#"[{"id":"0g"}]"#, .badValue, 9), (#"[{"traceId":"xyz"}]"#, .badValue, 13),
      (#"[{"timestamp":1.5}]"#, .badValue, 14),
      (#"[{"timestamp":"1x"}]"#, .badValue, 14), (#"[{"duration":99999999999999999999}]"#, .badValue, 13),
      (#"[{"shared":"true"}]"#, .badValue, 11), (#"[{"tags":[]}]"#, .badValue, 9),
      (#"[{"tags":{"a":{}}}]"#, .badValue, 14), (#"[{"annotations":{}}]"#, .badValue, 16),
      (#"[{"localEndpoint":"a"}]"#, .badValue, 18), ("[{}{}]", .badSyntax, 3),
      ("[{\"name\":\"\u{1}\"}]", .badSyntax, 10), (#"[{"timestamp":01}]"#, .badSyntax, 14),
    ] as [(String, WireFault.Kind, Int)]) func faults(_ json: String, _ kind: WireFault.Kind, _ offset: Int)
  {
    #expect(fault(json) == WireFault(kind, at: offset))
  }

  @Test func nestingEnds() {
    func nested(_ depth: Int) -> String {
      #"[{"unknown":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}]"
    }
    #expect(fault(nested(100)) == nil)
    #expect(fault(nested(101))?.kind == .tooDeep)
    #expect(fault(nested(100_000))?.kind == .tooDeep)
  }

  @Test func everyTruncationIsAFault() {
    let json = [UInt8](
      #"[{"id":"1","tags":{"a":"\u00fc"},"annotations":[{"timestamp":1,"value":"{}"}],"shared":true}]"#.utf8)
    for count in 0..<json.count {
      let part = Array(json[..<count])
      let found = fault { () throws(WireFault) in try ZipkinJSON.translate(part.span.bytes) }
      #expect(found?.kind == .truncated, "\(count) bytes")
    }
  }

  @Test func emptyListsAreEmptyRequests() throws {
    #expect(try ZipkinJSON.translate([UInt8](" [ ] ".utf8).span.bytes).isEmpty)
  }
}

extension String {
  /// With zeros in front, as long as a trace ID.
  fileprivate var padded: String { String(repeating: "0", count: Swift.max(0, 32 - count)) + self }
}
