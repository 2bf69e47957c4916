import Formats
import Foundation
import SwiftProtobuf
import TestKit
import Testing
import TraceWire

private func documents(
  _ request: Request, _ index: ElasticsearchIndex? = ElasticsearchIndex(name: "spans")
) throws -> ElasticsearchDocuments {
  let bytes: [UInt8] = try request.serializedBytes()
  return try ElasticsearchBulk(index: try #require(index)).documents(bytes.span.bytes)
}

/// Action and document of the only span.
private func one(
  _ request: Request, _ index: ElasticsearchIndex? = ElasticsearchIndex(name: "spans")
) throws -> (action: [String: Any], document: [String: Any]) {
  let documents = try documents(request, index)
  #expect(documents.ranges == [0..<documents.bytes.count])
  let lines = documents.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  try #require(lines.count == 3 && lines[2].isEmpty)
  return (try #require(try object(lines[0])["create"] as? [String: Any]), try object(lines[1]))
}

private func document(_ change: (inout Span) -> Void) throws -> [String: Any] { try one(request(change)).document }

@Suite("Elasticsearch documents") struct ElasticsearchBulkTests {
  @Test func whatEverySpanHas() throws {
    let documents = try documents(
      request {
        $0.kind = .server
        $0.name = "GET /"
        $0.parentSpanID = Data(0x30...0x37)
      })
    #expect(
      String(decoding: documents.bytes, as: UTF8.self)
        == #"{"create":{"_index":"spans","_id":"101112131415161718191a1b1c1d1e1f2021222324252627"}}"# + "\n"
        + #"{"@timestamp":"2023-11-14T22:13:20.123456789Z","ecs.version":"8.11.0","#
        + #""trace.id":"101112131415161718191a1b1c1d1e1f","span.id":"2021222324252627","#
        + #""parent.id":"3031323334353637","span.name":"GET /","span.kind":"SERVER","#
        + #""timestamp.us":1700000000123456,"span.duration.us":1000000,"event.duration":1000000000,"#
        + #""event.outcome":"unknown","service.name":"shop","service.framework.name":"lib","#
        + #""service.framework.version":"1.2"}"# + "\n")
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000000000Z", "1970.01.01"),
      (951_782_399, "2000-02-28T23:59:59.000000000Z", "2000.02.28"),
      (951_782_400, "2000-02-29T00:00:00.000000000Z", "2000.02.29"),
      (1_709_164_800, "2024-02-29T00:00:00.000000000Z", "2024.02.29"),
      (1_735_689_599, "2024-12-31T23:59:59.000000000Z", "2024.12.31"),
      (1_735_689_600, "2025-01-01T00:00:00.000000000Z", "2025.01.01"),
      (4_107_542_400, "2100-03-01T00:00:00.000000000Z", "2100.03.01"),
      (18_446_744_073, "2554-07-21T23:34:33.000000000Z", "2554.07.21"),
    ] as [(UInt64, String, String)]) func datesAreCivil(_ second: UInt64, _ time: String, _ day: String) throws
  {
    let request = request { $0.startTimeUnixNano = second * 1_000_000_000 }
    let daily = try one(request, ElasticsearchIndex(name: "spans", dateSuffix: .day))
    #expect(daily.document["@timestamp"] as? String == time)
    #expect(daily.action["_index"] as? String == "spans-\(day)")
    let monthly = try one(request, ElasticsearchIndex(name: "spans", dateSuffix: .month))
    #expect(monthly.action["_index"] as? String == "spans-\(day.dropLast(3))")
  }

  /// Every day of 700 years, against the sum of the days before.
  @Test func everyDayFollowsTheOneBefore() throws {
    var formatter = Date.ISO8601FormatStyle()
    formatter.timeZone = .gmt
    for day in stride(from: UInt64(0), to: 213_503, by: 97) {
      let request = request { $0.startTimeUnixNano = day * 86_400_000_000_000 }
      let text = try one(request).document["@timestamp"] as? String
      let wanted = Date(timeIntervalSince1970: Double(day) * 86_400).formatted(formatter)
      #expect(text == wanted.replacing("Z", with: ".000000000Z"))
    }
  }

  @Test func dataStreamsAreNamedInTheDocument() throws {
    let (action, document) = try one(request(), ElasticsearchIndex(dataset: "generic", namespace: "default"))
    #expect(action["_index"] as? String == "traces-generic-default")
    #expect(document["data_stream.type"] as? String == "traces")
    #expect(document["data_stream.dataset"] as? String == "generic")
    #expect(document["data_stream.namespace"] as? String == "default")
  }

  @Test(arguments: [
    "", "Spans", "_spans", "-spans", "+spans", ".spans", "a b", "a/b", "a\\b", "a*", "a?", "a\"", "a<", "a>", "a|",
    "a,b", "a#b", "a:b", "a\n", String(repeating: "a", count: 245),
  ]) func namesThatElasticsearchHasNot(_ name: String) {
    #expect(ElasticsearchIndex(name: name) == nil)
    #expect(ElasticsearchIndex(dataset: name + "-", namespace: "default") == nil)
  }

  @Test(arguments: ["spans", "a.b_c-d+e", "größe", String(repeating: "a", count: 244)])
  func namesThatElasticsearchHas(_ name: String) throws {
    #expect(try one(request(), ElasticsearchIndex(name: name)).action["_index"] as? String == name)
  }

  @Test(
    arguments: [
      (.unset, "", "unknown", nil), (.ok, "x", "success", nil), (.error, "boom", "failure", "boom"),
      (.error, "", "failure", nil),
    ] as [(Opentelemetry_Proto_Trace_V1_Status.StatusCode, String, String, String?)])
  func outcomes(
    _ code: Opentelemetry_Proto_Trace_V1_Status.StatusCode, _ message: String, _ outcome: String, _ error: String?
  ) throws {
    let document = try document {
      $0.status.code = code
      $0.status.message = message
    }
    #expect(document["event.outcome"] as? String == outcome)
    #expect(document["error.message"] as? String == error)
  }

  @Test func attributesHaveFieldsOrAreLabels() throws {
    var request = request {
      $0.attributes = [
        attribute("http.request.method", text("GET")), attribute("http.method", text("POST")),
        attribute("http.status_code", number(503)), attribute("http.response.status_code", text("5xx")),
        attribute("url.full", number(1)), attribute("db.system", text("pg")), attribute("a.b*c", text("1")),
        attribute("a_b_c", text("2")), attribute("n", number(.max)), attribute("d", .with { $0.doubleValue = 2 }),
        attribute("nan", .with { $0.doubleValue = .nan }), attribute("flag", .with { $0.boolValue = true }),
        attribute("", text("x")), attribute(" \n", text("x")), attribute("none", AnyValue()),
        attribute("list", list(text("x"), number(1), .with { $0.boolValue = false })), attribute("empty", list()),
        attribute("mixed", list(text("x"), list(number(1)))),
        attribute("map", .with { $0.kvlistValue.values = [attribute("k", number(1))] }),
        attribute("bytes", .with { $0.bytesValue = Data([255]) }),
      ]
    }
    request.resourceSpans[0].resource.attributes += [
      attribute("host.name", text("h1")), attribute("process.pid", number(7)), attribute("team", text("cart")),
      attribute("k8s.pod.name", text("p")), attribute("deployment.environment.name", text("prod")),
      attribute("cloud.region", text("eu-west-1")), attribute("db.system", text("resource")),
    ]
    request.resourceSpans[0].scopeSpans[0].scope.attributes = [attribute("s", number(1))]
    let document = try one(request).document
    #expect(document["http.request.method"] as? String == "GET")
    #expect(document["http.response.status_code"] as? Int == 503)
    #expect(document["url.full"] == nil)
    #expect(document["host.hostname"] as? String == "h1")
    #expect(document["process.pid"] as? Int == 7)
    #expect(document["kubernetes.pod.name"] as? String == "p")
    #expect(document["service.environment"] as? String == "prod")
    #expect(document["cloud.region"] as? String == "eu-west-1")
    let labels = try #require(document["labels"] as? [String: Any]).mapValues { "\($0)" }
    #expect(
      labels.filter { $0.key != "list" && $0.key != "empty" } == [
        "http_response_status_code": "5xx", "db_system": "pg", "a_b_c": "1", "nan": "NaN", "flag": "true",
        "mixed": #"["x",[1]]"#, "map": #"{"k":1}"#, "bytes": "/w==", "team": "cart",
      ])
    let lists = try #require(document["labels"] as? [String: Any])
    #expect(lists["list"] as? [String] == ["x", "1", "false"])
    #expect(lists["empty"] as? [String] == [])
    let numbers = try #require(document["numeric_labels"] as? [String: Any]).mapValues { "\($0)" }
    #expect(numbers == ["url_full": "1", "n": "9223372036854775807", "d": "2.0", "s": "1"])
  }

  @Test func eventsAndLinks() throws {
    let document = try document {
      $0.events = [
        .with {
          $0.timeUnixNano = 1_700_000_000_000_000_001
          $0.name = "exception"
          $0.attributes = [attribute("exception.type", text("E")), attribute("n", number(1))]
        }, .init(),
      ]
      $0.links = [
        .with {
          $0.traceID = Data(0...15)
          $0.spanID = Data(1...8)
        }
      ]
    }
    let events = try #require(document["span.events"] as? [[String: Any]])
    #expect(events.count == 2)
    #expect(events[0]["@timestamp"] as? String == "2023-11-14T22:13:20.000000001Z")
    #expect(events[0]["name"] as? String == "exception")
    #expect(events[0]["labels"] as? [String: String] == ["exception_type": "E"])
    #expect(events[0]["numeric_labels"] as? [String: Int] == ["n": 1])
    #expect(
      document["span.links"] as? [[String: String]]
        == [["trace.id": "000102030405060708090a0b0c0d0e0f", "span.id": "0102030405060708"]])
  }

  @Test func documentsAreApart() throws {
    for seed in UInt64(0)..<60 {
      var generator = OTLPGenerator(seed: seed)
      let bytes = generator.weirdBytes(spans: 12)
      let documents = try ElasticsearchBulk(index: #require(ElasticsearchIndex(name: "x"))).documents(bytes.span.bytes)
      let wanted = try Request(serializedBytes: bytes).validSpans
      try #require(documents.ranges.count == wanted.count, "seed \(seed)")
      var end = 0
      for (range, span) in zip(documents.ranges, wanted) {
        #expect(range.lowerBound == end)
        end = range.upperBound
        let lines = documents.bytes[range].split(separator: UInt8(ascii: "\n"))
        try #require(lines.count == 2)
        let action = try object(lines[0])["create"] as? [String: String]
        #expect(action?["_id"] == hex(span.traceID) + hex(span.spanID), "seed \(seed)")
        #expect(try object(lines[1])["span.name"] as? String == span.name, "seed \(seed)")
      }
      #expect(end == documents.bytes.count)
      let some = documents.only([2, 0, 99])
      #expect(some.bytes == Array(documents.bytes[documents.ranges[2]] + documents.bytes[documents.ranges[0]]))
      #expect(some.only([1]).bytes == Array(documents.bytes[documents.ranges[0]]))
    }
  }

  @Test func valuesNestToTheLimit() throws {
    let fitting = (ProtobufCursor.depthMax - 6) / 2
    _ = try document { $0.attributes = [nested(fitting)] }
    let bytes: [UInt8] = try request { $0.attributes = [nested(fitting + 1)] }.serializedBytes()
    let bulk = ElasticsearchBulk(index: try #require(ElasticsearchIndex(name: "x")))
    let error = #expect(throws: WireFault.self) { try bulk.documents(bytes.span.bytes) }
    #expect(error?.kind == .tooDeep)
  }
}
