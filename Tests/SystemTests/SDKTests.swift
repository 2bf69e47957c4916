import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Unchanged OpenTelemetry SDKs in front, an independent OTLP server behind.
@Suite(.fewAtOnce) struct SDKTests {
  typealias Span = Opentelemetry_Proto_Trace_V1_Span

  /// The Python SDK exports every span twice: through Longspan, and straight to a sink of its own. What comes out of
  /// Longspan must be what the SDK sent, to the last field.
  @Test(arguments: [("grpc", "none"), ("grpc", "gzip"), ("http", "none"), ("http", "gzip")])
  func everyFieldArrivesAsSent(_ protocolName: String, _ compression: String) async throws {
    let direct = try Sink()
    let back = try Sink()
    let aggregator = try await Deployment.aggregator([back])
    let relay = try await Deployment.relay("us-east-1", to: try await aggregator.address("otlp_grpc"))
    let endpoint = "http://" + (try await relay.address("otlp_" + protocolName))
    let run = try await Command.run(
      Root.python,
      [
        Root.peer("sdk.py"), protocolName, endpoint, "us-east-1", "60", "--compression", compression,
        "--also", "127.0.0.1:\(direct.port)",
      ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.count == 180)

    let arrived = try await back.spans(atLeast: 180)
    let sent = Dictionary(uniqueKeysWithValues: try direct.spans().map { ($0.spanID, $0) })
    #expect(sent.count == 180)
    #expect(arrived.count == 180)
    for span in arrived { #expect(span == sent[span.spanID]) }
    let (messages, originals) = (try rawSpans(of: back), try rawSpans(of: direct))
    #expect(messages == originals, "every bit of every span")
    let resources = { (sink: Sink) in Set(try sink.exports().flatMap { $0.resourceSpans.map(\.resource) }) }
    #expect(try resources(back) == resources(direct))
    try expectWholeTraces(in: back)

    let scrape = try await aggregator.scrape(until: { $0.outcome("forwarded") == 180 }, "all spans are forwarded")
    scrape.expectBalanced()
    (try await relay.scrape()).expectBalanced()
    #expect(await relay.end() == 0)
    #expect(await aggregator.end() == 0)
  }

  private func rawSpans(of sink: Sink) throws -> Set<Data> {
    Set(try sink.requests().flatMap { try RawSpans.read($0) })
  }

  /// A trace comes out in one request, with resource and scope as they were.
  private func expectWholeTraces(in sink: Sink) throws {
    var requestOf: [Data: Int] = [:]
    for (number, export) in try sink.exports().enumerated() {
      for resourceSpans in export.resourceSpans {
        #expect(
          resourceSpans.resource.attributes.contains { $0.key == "service.name" && $0.value.stringValue == "shop" })
        for scopeSpans in resourceSpans.scopeSpans {
          #expect(scopeSpans.scope.name == "peer")
          #expect(scopeSpans.schemaURL == "https://opentelemetry.io/schemas/1.21.0")
          for span in scopeSpans.spans {
            #expect(requestOf[span.traceID] ?? number == number, "a trace came in two pieces")
            requestOf[span.traceID] = number
          }
        }
      }
    }
    #expect(requestOf.count == 60)
  }

  @Test func jsonByCurlComesOutAsProtobuf() async throws {
    let back = try Sink()
    let aggregator = try await Deployment.aggregator([back])
    let relay = try await Deployment.relay("eu-west-1", to: try await aggregator.address("otlp_grpc"))
    let json = """
      {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"curl"}}]},
      "scopeSpans":[{"scope":{"name":"by hand"},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C",
      "spanId":"eee19b7ec3c1b174","name":"hello","kind":2,"startTimeUnixNano":"1544712660000000000",
      "endTimeUnixNano":1544712661000000000,"attributes":[{"key":"n","value":{"intValue":"42"}},
      {"key":"d","value":{"doubleValue":1.5}}],"status":{}}]}]}]}
      """
    let url = "http://\(try await relay.address("otlp_http"))/v1/traces"
    for (version, answer) in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
      let run = try await Command.run(
        "curl",
        [
          "-sS", version, "-w", " %{http_code} %{http_version} %{content_type}", "-H",
          "content-type: application/json", "--data-binary", "@-", url,
        ], input: Data(json.utf8))
      #expect(run.text == "{} 200 \(answer) application/json", "\(run.text) \(run.errors)")
    }

    let span = try #require(try await back.spans(atLeast: 1).first)
    #expect(span.traceID.map { String(format: "%02x", $0) }.joined() == "5b8efff798038103d269b633813fc60c")
    #expect(span.name == "hello")
    #expect(span.kind == .server)
    #expect(span.endTimeUnixNano == 1_544_712_661_000_000_000)
    #expect(span.attributes.map(\.key) == ["n", "d"])
    #expect(span.attributes[0].value.intValue == 42)
    let resource = try #require(try back.exports().first?.resourceSpans.first?.resource)
    #expect(resource.attributes.contains { $0.key == "cloud.region" && $0.value.stringValue == "eu-west-1" })
    // The same span came twice: once it was kept, once it was a duplicate.
    let scrape = try await aggregator.scrape(until: { $0.outcome("duplicate") == 1 }, "the second is a duplicate")
    scrape.expectBalanced()
  }

  /// Random requests as OTLP/JSON, made of swift-protobuf's JSON, are the same spans as the protobuf they stand for.
  @Test(arguments: [false, true]) func jsonSaysTheSameAsProtobuf(_ isCompressed: Bool) async throws {
    let seed: UInt64 = 0x5eed_0004
    let back = try Sink()
    let relay = try await Deployment.relay(
      "us-east-1", to: "127.0.0.1:\(back.port)", exporter: "compression: none")
    var generator = OTLPGenerator(seed: seed)
    var request = generator.request(spans: 80)
    request.keepValid()
    let json = try OTLPJSONText.of(request)
    var arguments = [
      "-sS", "-w", "%{http_code}", "-o", "/dev/null", "-H", "content-type: application/json", "--data-binary", "@-",
      "http://\(try await relay.address("otlp_http"))/v1/traces",
    ]
    if isCompressed { arguments += ["-H", "content-encoding: gzip"] }
    let body = isCompressed ? try await Command.run("gzip", ["-c"], input: json).output : json
    let run = try await Command.run("curl", arguments, input: body)
    #expect(run.text == "200", "\(run.errors)")
    let arrived = Dictionary(grouping: try await back.spans(atLeast: request.spans.count), by: \.spanID)
    #expect(request.spans.count > 40)
    for span in request.spans { #expect(arrived[span.spanID] == [span], "seed \(seed)") }
  }
}
