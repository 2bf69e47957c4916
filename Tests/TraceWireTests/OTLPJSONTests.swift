import SwiftProtobuf
import TestKit
import Testing
import TraceWire

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

private typealias AnyValue = OTLPGenerator.AnyValue

private func translate(_ json: String) throws -> Request {
  try Request(serializedBytes: OTLPJSON.translate([UInt8](json.utf8)))
}

private func fault(_ json: String) -> WireFault? {
  do {
    _ = try OTLPJSON.translate([UInt8](json.utf8))
    return nil
  } catch {
    return error
  }
}

/// A request with one span of these members.
private func span(_ members: String) -> String {
  #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"# + members + "}]}]}]}"
}

/// The value of a request's one attribute.
private func value(_ json: String) throws -> AnyValue {
  let request = try translate(span(#""attributes":[{"key":"k","value":"# + json + "}]"))
  return request.resourceSpans[0].scopeSpans[0].spans[0].attributes[0].value
}

private func oneSpan(_ members: String) throws -> OTLPGenerator.Span {
  try translate(span(members)).resourceSpans[0].scopeSpans[0].spans[0]
}

@Suite("OTLP/JSON") struct OTLPJSONTests {
  /// The example of the OpenTelemetry protocol repository (examples/trace.json).
  @Test func readsTheSpecificationsExample() throws {
    let request = try translate(
      """
      {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
        "scopeSpans": [{"scope": {"name": "my.library", "version": "1.0.0", "attributes": [
          {"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]},
        "spans": [{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174",
          "parentSpanId": "EEE19B7EC3C1B173", "name": "I'm a server span", "startTimeUnixNano": "1544712660000000000",
          "endTimeUnixNano": "1544712661000000000", "kind": 2, "attributes": [
            {"key": "my.span.attr", "value": {"stringValue": "some value"}}]}]}]}]}
      """)
    let scope = request.resourceSpans[0].scopeSpans[0]
    #expect(request.resourceSpans[0].resource.attributes[0].value.stringValue == "my.service")
    #expect(scope.scope.name == "my.library")
    #expect(scope.scope.attributes[0].key == "my.scope.attribute")
    #expect(Array(scope.spans[0].traceID) == hexBytes("5B8EFFF798038103D269B633813FC60C"))
    #expect(Array(scope.spans[0].spanID) == hexBytes("EEE19B7EC3C1B174"))
    #expect(Array(scope.spans[0].parentSpanID) == hexBytes("EEE19B7EC3C1B173"))
    #expect(scope.spans[0].name == "I'm a server span")
    #expect(scope.spans[0].kind == .server)
    #expect(scope.spans[0].startTimeUnixNano == 1_544_712_660_000_000_000)
    #expect(scope.spans[0].endTimeUnixNano == 1_544_712_661_000_000_000)
  }

  @Test func readsEveryFieldOfASpan() throws {
    let span = try oneSpan(
      #"""
      "traceId":"00112233445566778899aAbBcCdDeEfF","span_id":"0123456789abcdef","traceState":"ot=th:8","flags":769,
      "droppedAttributesCount":1,"dropped_events_count":"2","droppedLinksCount":3.0,
      "status":{"code":"STATUS_CODE_ERROR","message":"no"},
      "events":[{"timeUnixNano":"18446744073709551615","name":"e","droppedAttributesCount":4,
        "attributes":[{"key":"a","value":{"boolValue":false}}]}],
      "links":[{"traceId":"ff","spanId":"0A","trace_state":"x=y","flags":4294967295,"droppedAttributesCount":5,
        "attributes":[{"key":"b"}]}]
      """#)
    #expect(Array(span.traceID) == hexBytes("00112233445566778899aabbccddeeff"))
    #expect(Array(span.spanID) == hexBytes("0123456789abcdef"))
    #expect(span.traceState == "ot=th:8")
    #expect(span.flags == 769)
    #expect(span.droppedAttributesCount == 1)
    #expect(span.droppedEventsCount == 2)
    #expect(span.droppedLinksCount == 3)
    #expect(span.status.code == .error)
    #expect(span.status.message == "no")
    #expect(span.events[0].timeUnixNano == .max)
    #expect(span.events[0].name == "e")
    #expect(span.events[0].droppedAttributesCount == 4)
    #expect(span.events[0].attributes[0].value.value == .boolValue(false))
    #expect(Array(span.links[0].traceID) == [0xff])
    #expect(Array(span.links[0].spanID) == [0x0a])
    #expect(span.links[0].traceState == "x=y")
    #expect(span.links[0].flags == .max)
    #expect(span.links[0].droppedAttributesCount == 5)
    #expect(span.links[0].attributes[0].key == "b")
    #expect(!span.links[0].attributes[0].hasValue)
  }

  @Test func readsResourcesAndScopes() throws {
    let request = try translate(
      #"""
      {"resource_spans":[{"schema_url":"s","resource":{"droppedAttributesCount":9,
        "entityRefs":[{"type":"host","idKeys":["a","","b"],"schemaUrl":"u","descriptionKeys":[]}]},
        "scope_spans":[{"schemaUrl":"t","scope":{"droppedAttributesCount":2,"attributes":[]},"spans":[{},{}]}]},{}]}
      """#)
    #expect(request.resourceSpans.count == 2)
    #expect(request.resourceSpans[0].schemaURL == "s")
    #expect(request.resourceSpans[0].resource.droppedAttributesCount == 9)
    #expect(request.resourceSpans[0].resource.entityRefs[0].idKeys == ["a", "", "b"])
    #expect(request.resourceSpans[0].scopeSpans[0].schemaURL == "t")
    #expect(request.resourceSpans[0].scopeSpans[0].scope.droppedAttributesCount == 2)
    #expect(request.resourceSpans[0].scopeSpans[0].spans.count == 2)
  }

  @Test func readsValuesOfEveryType() throws {
    #expect(try value(#"{"stringValue":""}"#).value == .stringValue(""))
    #expect(try value(#"{"boolValue":true}"#).value == .boolValue(true))
    #expect(try value(#"{"intValue":0}"#).value == .intValue(0))
    #expect(try value(#"{"intValue":"-9223372036854775808"}"#).value == .intValue(.min))
    #expect(try value(#"{"intValue":9223372036854775807}"#).value == .intValue(.max))
    #expect(try value(#"{"doubleValue":-0.0}"#).doubleValue.sign == .minus)
    #expect(try value(#"{"bytesValue":"AAH/-_8"}"#).bytesValue.elementsEqual([0, 1, 0xff, 0xfb, 0xff]))
    #expect(try value(#"{"bytesValue":""}"#).value == .bytesValue(Data()))
    #expect(try value(#"{"arrayValue":{"values":[{"intValue":1},{},{"arrayValue":{}}]}}"#).arrayValue.values.count == 3)
    let list = try value(#"{"kvlistValue":{"values":[{"key":"a","value":{"intValue":"5"}}]}}"#).kvlistValue
    #expect(list.values[0].key == "a")
    #expect(list.values[0].value.intValue == 5)
    #expect(try value("{}").value == nil)
    #expect(try value(#"{"stringValue":null,"intValue":null}"#).value == nil)
  }

  @Test(arguments: [
    ("0", 0.0), ("1e3", 1000), ("-1.5E-3", -0.0015), ("\"2.5\"", 2.5), ("\"-Infinity\"", -.infinity),
    ("\"Infinity\"", .infinity), ("123456789012345678901234567890", 1.2345678901234568e29),
    ("5e-324", .leastNonzeroMagnitude),
    ("1e-400", 0), ("0.1", 0.1), ("1.7976931348623157e308", .greatestFiniteMagnitude), ("1e22", 1e22), ("1e23", 1e23),
    ("9007199254740993", 9_007_199_254_740_992),
  ])
  func readsDoubles(_ text: String, _ expected: Double) throws {
    #expect(try value(#"{"doubleValue":\#(text)}"#).doubleValue == expected)
  }

  @Test func readsNaN() throws {
    #expect(try value(#"{"doubleValue":"NaN"}"#).doubleValue.isNaN)
  }

  @Test(arguments: [
    ("1.0", Int64(1)), ("1.50e1", 15), ("12e-1", nil), ("120e-1", 12), ("1e18", 1_000_000_000_000_000_000),
    ("1e19", nil),
    ("-0", 0), ("0e999999999999999999999", 0), ("1e999999999999999999999", nil), ("1e-999999999999999999999", nil),
    ("9223372036854775808", nil), ("-9223372036854775809", nil), ("\"7\"", 7), ("\" 7\"", nil), ("\"\"", nil),
    ("\"0x7\"", nil), ("\"\\u0037\"", 7), ("true", nil), ("[1]", nil), ("{}", nil), ("18446744073709551617", nil),
    ("9223372036854775807.000", .max), ("0.0000000000000000000000000000e30", 0),
    ("100000000000000000000e-2", 1_000_000_000_000_000_000),
  ])
  func readsIntegers(_ text: String, _ expected: Int64?) throws {
    let json = span(#""attributes":[{"key":"k","value":{"intValue":\#(text)}}]"#)
    if let expected {
      #expect(try value(#"{"intValue":\#(text)}"#).intValue == expected)
    } else {
      #expect(fault(json)?.kind == .badValue)
    }
  }

  @Test func holdsFieldsToTheirRange() {
    #expect(fault(span(#""flags":4294967296"#))?.kind == .badValue)
    #expect(fault(span(#""flags":-1"#))?.kind == .badValue)
    #expect(fault(span(#""droppedEventsCount":4294967296"#))?.kind == .badValue)
    #expect(fault(span(#""startTimeUnixNano":-1"#))?.kind == .badValue)
    #expect(fault(span(#""startTimeUnixNano":18446744073709551616"#))?.kind == .badValue)
    #expect(fault(span(#""kind":2147483648"#))?.kind == .badValue)
    #expect(fault(span(#""kind":"SPAN_KIND_SERVE""#))?.kind == .badValue)
    #expect(fault(span(#""kind":"STATUS_CODE_OK""#))?.kind == .badValue)
    #expect(fault(span(#""status":{"code":"ERROR"}"#))?.kind == .badValue)
    #expect(fault(span(#""attributes":[{"key":"k","value":{"doubleValue":1e309}}]"#))?.kind == .badValue)
    #expect(fault(span(#""attributes":[{"key":"k","value":{"doubleValue":"inf"}}]"#))?.kind == .badValue)
    #expect(fault(span(#""attributes":[{"key":"k","value":{"bytesValue":"A"}}]"#))?.kind == .badValue)
    #expect(fault(span(#""attributes":[{"key":"k","value":{"boolValue":"true"}}]"#))?.kind == .badValue)
    #expect(fault(span(#""name":5"#))?.kind == .badValue)
    #expect(fault(span(#""traceId":5"#))?.kind == .badValue)
    #expect(fault(span(#""status":[]"#))?.kind == .badValue)
    #expect(fault(span(#""events":{}"#))?.kind == .badValue)
    #expect(fault(span(#""events":[null]"#))?.kind == .badValue)
  }

  @Test(arguments: [
    ("SPAN_KIND_UNSPECIFIED", 0), ("SPAN_KIND_INTERNAL", 1), ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3), ("SPAN_KIND_PRODUCER", 4), ("SPAN_KIND_CONSUMER", 5),
  ])
  func readsKinds(_ name: String, _ number: Int) throws {
    #expect(try oneSpan(#""kind":"\#(name)""#).kind.rawValue == number)
    #expect(try oneSpan(#""kind":\#(number)"#).kind.rawValue == number)
    #expect(try oneSpan(#""kind":-7"#).kind.rawValue == -7)
  }

  @Test func keepsIDsOfWrongLengthInvalid() throws {
    for (digits, count) in [(0, 0), (1, 0), (2, 1), (15, 7), (17, 9), (31, 15), (33, 17), (34, 17), (300, 150)] {
      let span = try oneSpan(#""traceId":"\#(String(repeating: "a", count: digits))""#)
      #expect(span.traceID.count == count, "\(digits) digits")
    }
    #expect(fault(span(#""traceId":"zz""#)) == WireFault(.badValue, at: 55))
    #expect(fault(span(#""spanId":"W47/95gDgQPSabYzgT/GDA==""#))?.kind == .badValue)
    #expect(try Array(oneSpan(#""spanId":"\u0041\u0042""#).spanID) == [0xab])
    #expect(fault(span(#""spanId":"\u0041z""#)) == WireFault(.badValue, at: 53))
  }

  @Test func ignoresUnknownFieldsAndNull() throws {
    let json = span(
      #""name":null,"x":{"y":[1,-2.5e7,true,false,null,"\"]}",{}],"z":{}},"kind":2,"":0,"trace__id":"zz","traceid":[]"#)
    let span = try translate(json).resourceSpans[0].scopeSpans[0].spans[0]
    #expect(span.name == "")
    #expect(span.kind == .server)
    #expect(span.traceID.isEmpty)
    let long = String(repeating: "n", count: 100)
    #expect(try oneSpan(#""\#(long)":1,"kind":3"#).kind == .client)
    #expect(try translate(#"{"resourceSpans":null,"other":[]}"#) == Request())
  }

  @Test func laterValuesCountAndRepeatedOnesAreJoined() throws {
    let span = try oneSpan(#""kind":1,"kind":2,"name":"a","name":"b","events":[{}],"events":[{},{}]"#)
    #expect(span.kind == .server)
    #expect(span.name == "b")
    #expect(span.events.count == 3)
  }

  @Test(arguments: [
    (#"plain"#, "plain"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"), (#"\u00e9\u20AC\u0000"#, "é€\u{0}"),
    (#"a\ud83d\uDE00z"#, "a😀z"), ("größe 😀", "größe 😀"), (#"\ud83d"#, "\u{fffd}"), (#"\ude00x"#, "\u{fffd}x"),
    (#"\ud83d\ud83d\ude00"#, "\u{fffd}😀"), (#"\ud83d\n"#, "\u{fffd}\n"), (#"\ud83dabcdefgh"#, "\u{fffd}abcdefgh"),
    (#"\uffff\uD7FF\uE000\udbff\udfff"#, "\u{ffff}\u{d7ff}\u{e000}\u{10ffff}"), ("\u{7f}", "\u{7f}"),
  ])
  func readsStrings(_ text: String, _ expected: String) throws {
    #expect(try oneSpan(#""name":"\#(text)""#).name == expected)
    #expect(try value(#"{"stringValue":"\#(text)"}"#).stringValue == expected)
    #expect(try translate(#"{"\#(text)":"\#(text)"}"#) == Request())
    let padded = String(repeating: "p", count: 200)
    #expect(try oneSpan(#""name":"\#(padded)\#(text)""#).name == padded + expected)
  }

  @Test func readsEscapedNames() throws {
    #expect(try oneSpan(#""\u006bind":2,"na\u006De":"n""#).kind == .server)
    #expect(try oneSpan(#""start\u005ftime_unix_nano":2"#).startTimeUnixNano == 2)
  }

  @Test(arguments: [
    ("", WireFault.Kind.truncated, 0), (" \n", .truncated, 2), ("[]", .badValue, 0), ("null", .badValue, 0),
    ("\"\"", .badValue, 0), ("x", .badSyntax, 0), ("{", .truncated, 1), ("{\"a\"", .truncated, 4),
    ("{\"a\":", .truncated, 5), ("{\"a\":1", .truncated, 6), ("{}x", .badSyntax, 2), ("{} {}", .badSyntax, 3),
    ("{}\u{0}", .badSyntax, 2), ("{,}", .badSyntax, 1), ("{\"a\":1,}", .badSyntax, 7), ("{\"a\" 1}", .badSyntax, 5),
    ("{a:1}", .badSyntax, 1), ("{\"a\":01}", .badSyntax, 5), ("{\"a\":+1}", .badSyntax, 5),
    ("{\"a\":1.}", .badSyntax, 7), ("{\"a\":.5}", .badSyntax, 5), ("{\"a\":1e}", .badSyntax, 7),
    ("{\"a\":-}", .badSyntax, 6), ("{\"a\":1 2}", .badSyntax, 7), ("{\"a\":tru}", .badSyntax, 5),
    ("{\"a\":nul", .truncated, 8), ("{\"a\":[1,]}", .badSyntax, 8), ("{\"a\":[1}", .badSyntax, 7),
    ("{\"a\":{]}", .badSyntax, 6), ("{\"a\":\"\n\"}", .badSyntax, 6), ("{\"a\":\"\\x\"}", .badSyntax, 6),
    ("{\"a\":\"\\u12g4\"}", .badSyntax, 6), ("{\"a\":\"\\u12", .truncated, 10), ("{\"a\":\"", .truncated, 6),
    ("{\"a\":NaN}", .badSyntax, 5), ("{'a':1}", .badSyntax, 1), ("\u{feff}{}", .badSyntax, 0),
    ("{\"resourceSpans\":[{},]}", .badSyntax, 21), ("{\"resourceSpans\":[{} {}]}", .badSyntax, 21),
  ])
  func refusesWhatIsNoJSON(_ json: String, _ kind: WireFault.Kind, _ offset: Int) {
    #expect(fault(json) == WireFault(kind, at: offset))
  }

  @Test func refusesBytesThatAreNotUTF8() {
    for bad in [
      "80", "c080", "c3", "c328", "e08080", "eda080", "f0808080", "f4908080", "f5808080", "ff", "e282", "f09f98",
    ] {
      for name in ["a", "name"] {
        let json = Array("{\"\(name)\":\"ok".utf8) + hexBytes(bad) + Array("\"}".utf8)
        #expect(throws: WireFault(.badSyntax, at: name.count + 7)) { try OTLPJSON.translate(json) }
      }
    }
  }
}
