import Formats
import Foundation
import SwiftProtobuf
import TestKit
import Testing
import TraceWire

private func spans(_ request: Request) throws -> [[String: Any]] {
  let bytes: [UInt8] = try request.serializedBytes()
  let json = try ZipkinJSONOutput.spans(bytes.span.bytes)
  return try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [[String: Any]])
}

private func one(_ change: (inout Span) -> Void = { _ in }) throws -> [String: Any] {
  try #require(try spans(request(change)).first)
}

private func tags(_ change: (inout Span) -> Void) throws -> [String: String] {
  try one(change)["tags"] as? [String: String] ?? [:]
}

@Suite("Zipkin v2 JSON as output") struct ZipkinJSONOutputTests {
  @Test func whatEverySpanHas() throws {
    let bytes: [UInt8] = try request { $0.kind = .internal }.serializedBytes()
    #expect(
      String(decoding: try ZipkinJSONOutput.spans(bytes.span.bytes), as: UTF8.self)
        == #"[{"traceId":"101112131415161718191a1b1c1d1e1f","id":"2021222324252627","timestamp":1700000000123456,"#
        + #""duration":1000000,"localEndpoint":{"serviceName":"shop"},"tags":{"otel.scope.name":"lib","#
        + #""otel.library.name":"lib","otel.scope.version":"1.2","otel.library.version":"1.2"}}]"#)
    #expect(try spans(Request()).isEmpty)
  }

  @Test(
    arguments: [
      (0, 0, nil, nil), (5_000, 0, 5, nil), (5_000, 5_000, 5, 1), (5_000, 5_999, 5, 1), (5_999, 9_000, 5, 3),
      (5_000, 4_000, 5, 1), (1_000, .max, 1, 18_446_744_073_709_550), (.max, .max, 18_446_744_073_709_551, 1),
    ] as [(UInt64, UInt64, UInt64?, UInt64?)])
  func timesAreWholeMicroseconds(_ start: UInt64, _ end: UInt64, _ timestamp: UInt64?, _ duration: UInt64?) throws {
    let span = try one {
      $0.startTimeUnixNano = start
      $0.endTimeUnixNano = end
    }
    #expect((span["timestamp"] as? NSNumber)?.uint64Value == timestamp)
    #expect((span["duration"] as? NSNumber)?.uint64Value == duration)
  }

  @Test(
    arguments: [
      (.unspecified, nil), (.internal, nil), (.server, "SERVER"), (.client, "CLIENT"), (.producer, "PRODUCER"),
      (.consumer, "CONSUMER"), (.UNRECOGNIZED(9), nil),
    ] as [(Span.SpanKind, String?)]) func kinds(_ kind: Span.SpanKind, _ wanted: String?) throws
  {
    #expect(try one { $0.kind = kind }["kind"] as? String == wanted)
  }

  @Test func serviceNames() throws {
    var nameless = request()
    nameless.resourceSpans[0].clearResource()
    #expect(try spans(nameless)[0]["localEndpoint"] as? [String: String] == ["serviceName": "unknown_service"])
    // A resource that comes in two parts is one.
    var bytes: [UInt8] = try nameless.serializedBytes()
    var body = ProtobufWriter()
    body.message(1) { $0.varint(2, 1) }
    body.message(1) { resource in
      resource.message(1) { attribute in
        attribute.string(1, "service.name")
        attribute.message(2) { $0.string(1, "two") }
      }
    }
    body.bytes += Array(bytes.dropFirst(2))
    var whole = ProtobufWriter()
    whole.bytes(1, body.bytes)
    bytes = whole.bytes
    let json = try ZipkinJSONOutput.spans(bytes.span.bytes)
    #expect(String(decoding: json, as: UTF8.self).contains(#""localEndpoint":{"serviceName":"two"}"#))
  }

  @Test(
    arguments: [
      (["db.name": "sales", "peer.hostname": "h"], ["serviceName": "h"]),
      (["peer.address": "10.0.0.1"], ["ipv4": "10.0.0.1"]),
      (["peer.address": "10.0.0.1:80", "db.name": "x"], ["serviceName": "10.0.0.1:80"]),
      (
        ["network.peer.address": "10.1.2.3", "network.peer.port": "i53", "net.sock.peer.addr": "z"],
        ["ipv4": "10.1.2.3", "port": "53"]
      ),
      (["network.peer.address": "2001:db8::1", "network.peer.port": "i70000"], ["ipv6": "2001:db8::1"]),
      (["network.peer.address": "/run/x.sock"], ["serviceName": "/run/x.sock"]),
      (["net.sock.peer.addr": "::ffff:1.2.3.4", "net.sock.peer.port": "i1"], ["ipv6": "::ffff:1.2.3.4", "port": "1"]),
      (["server.socket.address": "1.2.3.400"], ["serviceName": "1.2.3.400"]),
      (["server.address": "db.local", "net.peer.name": "no", "server.port": "i5432"], ["serviceName": "db.local"]),
      (["peer.service": "pay", "server.address": "no"], ["serviceName": "pay"]), (["peer.service": ""], nil),
      (["peer.service": "i5"], nil), (["http.route": "/"], nil),
    ] as [([String: String], [String: String]?)])
  func theRemoteEndpointIsTheFirstInRank(_ attributes: [String: String], _ wanted: [String: String]?) throws {
    let made = attributes.map { key, value in
      attribute(key, value.hasPrefix("i") ? number(Int64(value.dropFirst()) ?? 0) : text(value))
    }
    for kind in [Span.SpanKind.client, .producer, .server, .internal] {
      let span = try one {
        $0.kind = kind
        $0.attributes = made
      }
      let endpoint = (span["remoteEndpoint"] as? [String: Any])?.mapValues { "\($0)" }
      #expect(endpoint == (kind == .client || kind == .producer ? wanted : nil), "\(kind)")
    }
  }

  @Test func attributesAreTags() throws {
    let tags = try tags {
      $0.attributes = [
        attribute("t", text("a\"b\u{1}")), attribute("i", number(.min)), attribute("b", .with { $0.boolValue = true }),
        attribute("d", .with { $0.doubleValue = 0.25 }), attribute("n", .with { $0.doubleValue = .nan }),
        attribute("y", .with { $0.bytesValue = Data([1, 2, 255]) }), attribute("e", AnyValue()),
        attribute("l", list(text("x\"y"), number(1), .with { $0.doubleValue = -.infinity }, AnyValue(), list())),
        attribute("m", .with { $0.kvlistValue.values = [attribute("k", list(.with { $0.boolValue = false }))] }),
        attribute("t", text("second")), attribute("", text("nameless")),
        attribute("otel.scope.name", text("mine")), attribute("error", .with { $0.boolValue = false }),
      ]
      $0.traceState = "ot=th:8"
      $0.droppedAttributesCount = 3
      $0.droppedEventsCount = .max
      $0.droppedLinksCount = 1
    }
    #expect(
      tags == [
        "t": "a\"b\u{1}", "i": "-9223372036854775808", "b": "true", "d": "0.25", "n": "NaN", "y": "AQL/", "e": "",
        "l": #"["x\"y",1,"-Infinity",null,[]]"#, "m": #"{"k":[false]}"#, "": "nameless", "otel.scope.name": "mine",
        "otel.library.name": "lib", "otel.scope.version": "1.2", "otel.library.version": "1.2",
        "w3c.tracestate": "ot=th:8", "otel.dropped_attributes_count": "3",
        "otel.dropped_events_count": "4294967295", "otel.dropped_links_count": "1",
      ])
  }

  @Test func attributesOfScopeAndResourceAreTags() throws {
    var request = request { $0.attributes = [attribute("k", text("span")), attribute("host.name", text("span"))] }
    request.resourceSpans[0].resource.attributes += [
      attribute("host.name", text("resource")), attribute("cloud.region", text("eu-west-1")),
    ]
    request.resourceSpans[0].scopeSpans[0].scope.attributes = [
      attribute("k", text("scope")), attribute("s", number(1)),
    ]
    let tags = try spans(request)[0]["tags"] as? [String: String]
    #expect(tags?["k"] == "span")
    #expect(tags?["host.name"] == "span")
    #expect(tags?["s"] == "1")
    #expect(tags?["cloud.region"] == "eu-west-1")
    #expect(tags?["service.name"] == nil)
  }

  @Test(
    arguments: [
      (.unset, "ignored", nil, nil, nil), (.ok, "ignored", nil, "OK", nil), (.error, "boom", nil, "ERROR", "boom"),
      (.error, "", nil, "ERROR", ""), (.error, "boom", "mine", "ERROR", "boom"), (.unset, "", "true", nil, "true"),
      (.unset, "", "false", nil, nil), (.ok, "", "false", "OK", nil),
    ] as [(Opentelemetry_Proto_Trace_V1_Status.StatusCode, String, String?, String?, String?)])
  func status(
    _ code: Opentelemetry_Proto_Trace_V1_Status.StatusCode, _ message: String, _ errorAttribute: String?,
    _ wantedCode: String?, _ wantedError: String?
  ) throws {
    let tags = try tags {
      $0.status.code = code
      $0.status.message = message
      if let errorAttribute { $0.attributes = [attribute("error", text(errorAttribute))] }
    }
    #expect(tags["otel.status_code"] == wantedCode)
    #expect(tags["error"] == wantedError)
  }

  @Test func eventsAreAnnotations() throws {
    let span = try one {
      $0.events = [
        .with {
          $0.timeUnixNano = 1_700_000_000_123_456_999
          $0.name = "plain"
        },
        .with {
          $0.name = "with \"more\""
          $0.attributes = [
            attribute("a", text("x")), attribute("n", number(-1)), attribute("l", list(number(1), number(2))),
          ]
          $0.droppedAttributesCount = 2
        },
      ]
    }
    let annotations = try #require(span["annotations"] as? [[String: Any]])
    #expect(annotations.map { ($0["timestamp"] as? NSNumber)?.uint64Value } == [1_700_000_000_123_456, 0])
    #expect(
      annotations.map { $0["value"] as? String } == [
        "plain", #""with \"more\"":{"a":"x","n":-1,"l":"[1,2]","otel.dropped_attributes_count":2}"#,
      ])
  }

  /// In the Collector's form.
  @Test func linksAreTags() throws {
    let tags = try tags {
      $0.links = [
        .with {
          $0.traceID = Data(0...15)
          $0.spanID = Data(1...8)
          $0.traceState = "a=b"
          $0.attributes = [attribute("k", number(1))]
          $0.droppedAttributesCount = 4
        }, .init(),
      ]
    }
    #expect(tags["otlp.link.0"] == #"000102030405060708090a0b0c0d0e0f|0102030405060708|a=b|{"k":1}|4"#)
    #expect(tags["otlp.link.1"] == "|||{}|0")
  }

  @Test func spansWithoutValidIDsAreLeftOut() throws {
    var request = request()
    for (trace, span) in [(0, 8), (16, 0), (15, 8), (16, 9)] {
      request.resourceSpans[0].scopeSpans[0].spans.append(
        .with {
          $0.traceID = Data(repeating: 1, count: trace)
          $0.spanID = Data(repeating: 1, count: span)
        })
    }
    request.resourceSpans[0].scopeSpans[0].spans.append(
      .with {
        $0.traceID = Data(count: 16)
        $0.spanID = Data(count: 8)
      })
    #expect(try spans(request).count == 1)
  }

  /// What comes in as Zipkin, and what our own reader makes of what goes out.
  @Test func theReaderGivesBackWhatThereWas() throws {
    let wanted = request {
      $0.parentSpanID = Data(0x30...0x37)
      $0.name = "GET /cart"
      $0.kind = .client
      $0.startTimeUnixNano = 1_700_000_000_123_456_000
      $0.endTimeUnixNano = 1_700_000_001_123_457_000
      $0.traceState = "ot=th:8"
      $0.attributes = [attribute("http.route", text("/cart")), attribute("peer.service", text("db"))]
      $0.droppedAttributesCount = 2
      $0.events = [
        .with {
          $0.timeUnixNano = 1_700_000_000_500_000_000
          $0.name = "retry"
          $0.attributes = [attribute("attempt", number(2)), attribute("why", text("reset"))]
        }
      ]
      $0.status.code = .error
      $0.status.message = "timeout"
    }
    let bytes: [UInt8] = try wanted.serializedBytes()
    let json = try ZipkinJSONOutput.spans(bytes.span.bytes)
    let again = try Request(serializedBytes: ZipkinJSON.translate(json.span.bytes))
    #expect(again == wanted)
  }

  @Test func randomRequestsGiveWhatTheirSpansSay() throws {
    for seed in UInt64(0)..<120 {
      var generator = OTLPGenerator(seed: seed)
      let bytes = seed % 2 == 0 ? generator.requestBytes(spans: 9) : generator.weirdBytes(spans: 9)
      let json = try ZipkinJSONOutput.spans(bytes.span.bytes)
      let read = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [[String: Any]], "seed \(seed)")
      let wanted = try Request(serializedBytes: bytes).validSpans
      #expect(read.map { $0["traceId"] as? String } == wanted.map { hex($0.traceID) }, "seed \(seed)")
      #expect(read.map { $0["id"] as? String } == wanted.map { hex($0.spanID) }, "seed \(seed)")
      #expect(read.map { $0["name"] as? String ?? "" } == wanted.map(\.name), "seed \(seed)")
      #expect(try Translated(ZipkinJSON.translate(json.span.bytes)).spans.count == wanted.count, "seed \(seed)")
    }
  }

  @Test func textThatIsNotUTF8IsRepaired() throws {
    var bytes: [UInt8] = try request { $0.name = "Xame" }.serializedBytes()
    let place = try #require(bytes.firstIndex(of: UInt8(ascii: "X")))
    bytes[place] = 0xff
    let json = try ZipkinJSONOutput.spans(bytes.span.bytes)
    #expect(String(decoding: json, as: UTF8.self).contains("\"name\":\"\u{fffd}ame\""))
  }

  @Test func valuesNestToTheLimit() throws {
    // Request, resource, scope, span, attribute, value; two messages an array.
    let fitting = (ProtobufCursor.depthMax - 6) / 2
    let tags = try tags { $0.attributes = [nested(fitting)] }
    #expect(tags["deep"] == String(repeating: "[", count: fitting) + "null" + String(repeating: "]", count: fitting))
    let bytes: [UInt8] = try request { $0.attributes = [nested(fitting + 1)] }.serializedBytes()
    #expect(fault { () throws(WireFault) in try ZipkinJSONOutput.spans(bytes.span.bytes) }?.kind == .tooDeep)
  }

  @Test func tagsHaveALimit() throws {
    let names = try tags {
      $0.attributes = (0..<5000).map { attribute("k\($0)", number(0)) }
    }
    #expect(names.count == 4096)
  }

  /// A large resource is not written for each of many small spans.
  @Test func theOutputStaysInProportion() throws {
    var request = request()
    request.resourceSpans[0].resource.attributes += (0..<100).map {
      attribute("r\($0)", text(String(repeating: "x", count: 10_000)))
    }
    let span = request.resourceSpans[0].scopeSpans[0].spans[0]
    request.resourceSpans[0].scopeSpans[0].spans = Array(repeating: span, count: 2000)
    let bytes: [UInt8] = try request.serializedBytes()
    let json = try ZipkinJSONOutput.spans(bytes.span.bytes)
    #expect(json.count < 10 * bytes.count + (8 << 20))
    let read = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [[String: Any]])
    #expect(read.count == 2000)
    #expect((read.first?["tags"] as? [String: String])?.count == 104)
    #expect((read.last?["tags"] as? [String: String])?.count == 4)
  }
}
