import Formats
import TestKit
import Testing
import TraceWire

@Suite("Zipkin v1 JSON") struct ZipkinV1JSONTests {
  private func translate(_ json: String) throws -> Translated {
    try Translated(ZipkinV1JSON.translate([UInt8](json.utf8).span.bytes))
  }

  private func found(_ json: String) -> WireFault? {
    let bytes = [UInt8](json.utf8)
    return fault { () throws(WireFault) in try ZipkinV1JSON.translate(bytes.span.bytes) }
  }

  private func annotation(_ time: Int, _ value: String, _ service: String) -> String {
    #"{"timestamp":\#(time),"value":"\#(value)","endpoint":{"serviceName":"\#(service)","ipv4":"10.0.0.1","port":80}}"#
  }

  private func span(_ more: String, _ annotations: String...) -> String {
    #"[{"traceId":"7","id":"b","parentId":"a","name":"get"\#(more),"annotations":[\#(annotations.joined(separator: ","))]}]"#
  }

  @Test func aClientsSpan() throws {
    let json = span(
      #","timestamp":5,"duration":6,"debug":true,"binaryAnnotations":[{"key":"http.path","value":"/a"},"#
        + #"{"key":"error","value":true},{"key":"sa","value":true,"endpoint":{"serviceName":"back","ipv4":"10.0.0.2"}},"#
        + #"{"key":"lc","value":"okhttp"}]"#,
      annotation(5, "cs", "front"), annotation(7, "wire", "front"), annotation(11, "cr", "front"))
    let placed = try #require(try translate(json).placed.first)
    #expect(placed.span.kind == .client)
    #expect(placed.span.ids == ["00000000000000000000000000000007", "000000000000000b", "000000000000000a"])
    #expect(placed.span.startTimeUnixNano == 5000)
    #expect(placed.span.endTimeUnixNano == 11000)
    #expect(placed.span.events.map(\.name) == ["wire"])
    #expect(placed.span.status.code == .error)
    #expect(placed.span.flags == 1)
    #expect(placed.resource == ["service.name": "front"])
    #expect(
      placed.span.tags == [
        "http.path": "/a", "component": "okhttp", "peer.service": "back", "server.address": "10.0.0.2",
        "network.local.address": "10.0.0.1", "network.local.port": "int 80",
      ])
  }

  @Test func aServersSpanWithoutATimestampIsShared() throws {
    let annotations = [annotation(6, "sr", "back"), annotation(9, "ss", "back")].joined(separator: ",")
    let shared = try #require(try translate(span("", annotations)).spans.first)
    #expect(shared.kind == .server)
    #expect(hex(shared.parentSpanID) == "000000000000000b")
    #expect(shared.startTimeUnixNano == 6000)
    #expect(shared.endTimeUnixNano == 9000)
    let own = try #require(try translate(span(#","timestamp":6,"duration":3"#, annotations)).spans.first)
    #expect(own.ids == ["00000000000000000000000000000007", "000000000000000b", "000000000000000a"])
  }

  @Test func bothHalvesInOne() throws {
    let result = try translate(
      span(
        #","timestamp":5,"duration":6,"binaryAnnotations":[{"key":"k","value":"v","endpoint":{"serviceName":"back"}}]"#,
        annotation(5, "cs", "front"), annotation(6, "sr", "back"), annotation(7, "noted", "back"),
        annotation(9, "ss", "back"), annotation(11, "cr", "front")))
    #expect(result.spans.map(\.kind) == [.client, .server])
    #expect(result.placed.map { $0.resource["service.name"] } == ["front", "back"])
    let (front, back) = (result.spans[0], result.spans[1])
    #expect(back.parentSpanID == front.spanID)
    #expect([front.startTimeUnixNano, front.endTimeUnixNano] == [5000, 11000])
    #expect([back.startTimeUnixNano, back.endTimeUnixNano] == [6000, 9000])
    #expect(back.events.map(\.name) == ["noted"] && back.tags["k"] == "v")
    #expect(front.events.isEmpty && front.tags["k"] == nil)
    #expect(front.tags["peer.service"] == "back" && back.tags["peer.service"] == "front")
  }

  @Test func aSpanWithinAService() throws {
    let all = [("cs", 5), ("sr", 5), ("ss", 8), ("cr", 8)].map { annotation($1, $0, "own") }.joined(separator: ",")
    let result = try translate(span(#","timestamp":5,"duration":3"#, all))
    #expect(result.spans.map(\.kind) == [.internal])
    #expect(result.placed.map { $0.resource["service.name"] } == ["own"])
  }

  @Test(arguments: [("ms", Span.SpanKind.producer), ("mr", .consumer)])
  func messages(_ core: String, _ kind: Span.SpanKind) throws {
    let span = try #require(try translate(span("", annotation(5, core, "queue"))).spans.first)
    #expect(span.kind == kind)
    #expect(span.startTimeUnixNano == 5000)
    #expect(span.events.isEmpty)
  }

  @Test func aLocalSpanIsWhoseItsAnnotationsAre() throws {
    let placed = try #require(
      try translate(
        #"[{"id":"1","binaryAnnotations":[{"key":"a","value":1},{"key":"b","value":"c","endpoint":{"serviceName":"own"}}]}]"#
      ).placed.first)
    #expect(placed.span.kind == .internal)
    #expect(placed.resource == ["service.name": "own"])
    #expect(placed.span.tags == ["a": "1", "b": "c"])
  }

  @Test(
    arguments: [
      ("{}", .badValue), ("[", .truncated), (#"[{"annotations":[1]}]"#, .badValue),
      (#"[{"annotations":[{"value":1}]}]"#, .badValue), (#"[{"binaryAnnotations":[{"value":{}}]}]"#, .badValue),
      (#"[{"id":"x"}]"#, .badValue), ("[{}]]", .badSyntax),
    ] as [(String, WireFault.Kind)]) func faults(_ json: String, _ kind: WireFault.Kind)
  {
    #expect(found(json)?.kind == kind)
  }

  @Test func deepNestingIsAFault() {
    #expect(found(#"[{"x":"# + String(repeating: "[", count: 1000))?.kind == .tooDeep)
  }
}
