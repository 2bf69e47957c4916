import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Zipkin and Jaeger in, by the exporters that applications use: the trace of `formats.py`, whatever it is sent in.
@Suite(.fewAtOnce) struct FormatTests {
  typealias Span = Opentelemetry_Proto_Trace_V1_Span

  /// A way in: what `formats.py` calls it, and the receiver it goes to.
  struct Way: CustomTestStringConvertible, Sendable {
    let format: String
    let receiver: String
    var testDescription: String { format }

    static let otlp = Way(format: "otlp", receiver: "otlp_http")
    static let others = [
      Way(format: "zipkin_json", receiver: "zipkin"), Way(format: "zipkin_proto", receiver: "zipkin"),
      Way(format: "jaeger_thrift", receiver: "jaeger_thrift_http"), Way(format: "jaeger_grpc", receiver: "jaeger_grpc"),
    ]
  }

  static let receivers = """
    receivers:
      otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}
      zipkin: {endpoint: "127.0.0.1:0"}
      jaeger: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, thrift_http: {endpoint: "127.0.0.1:0"}}}
    """

  /// The ten spans come out of an aggregator as if they had come in as OTLP, and so do the flows.
  @Test func theSameTraceInEveryFormat() async throws {
    let wanted = try await outcome(of: .otlp)
    #expect(wanted.spans.count == 10)
    #expect(wanted.flows["region_flow_requests_total{source_region=\"us-east-1\",target_region=\"eu-west-1\"}"] == 3)
    for way in Way.others {
      let found = try await outcome(of: way)
      let series = Set(found.flows.keys).union(wanted.flows.keys)
      #expect(series.filter { found.flows[$0] != wanted.flows[$0] }.isEmpty, "\(way.format)")
      #expect(found.spans.map(\.name) == wanted.spans.map(\.name), "\(way.format)")
      for (span, original) in zip(found.spans, wanted.spans) {
        #expect(span == (way.hasLinks ? original : original.withoutLinks), "\(way.format)")
      }
    }
  }

  private struct Outcome {
    var spans: [PlainSpan]
    var flows: [String: Double]
  }

  private func outcome(of way: Way) async throws -> Outcome {
    let back = try Sink()
    let aggregator = try await LongspanProcess.start(
      "aggregator",
      """
      \(Self.receivers)
      stitching: {idle_timeout: 1s}
      exporters: {otlp: {endpoint: "127.0.0.1:\(back.port)", compression: none, tls: {insecure: true}}}
      admin: {endpoint: "127.0.0.1:0"}
      """)
    try await send(way, to: aggregator)
    _ = try await back.spans(atLeast: 10)
    let scrape = try await aggregator.scrapeAtRest()
    #expect(scrape["longspan_received_spans_total{receiver=\"\(way.receiver)\"}"] == 10)
    #expect(scrape.received == 10)
    #expect(scrape.outcome("forwarded") == 10)
    let spans = try back.exports().flatMap { export in
      export.resourceSpans.flatMap { resource in
        resource.scopeSpans.flatMap { scope in
          scope.spans.map { PlainSpan($0, in: resource.resource, scope: scope.scope) }
        }
      }
    }
    // A span has as many bytes as its format gives it; everything else about the flows is the same.
    let names = ["region_flow_", "trace_", "traces_service_graph_", "stitching_traces_total"]
    return Outcome(
      spans: spans.sorted { $0.id < $1.id },
      flows: scrape.values.filter { series, _ in
        names.contains { series.hasPrefix($0) } && !series.hasPrefix("region_flow_bytes_total")
      })
  }

  private func send(_ way: Way, to process: LongspanProcess) async throws {
    let run = try await Command.run(
      Root.formatsPython,
      ["-W", "ignore", Root.peer("formats.py"), way.format, try await process.address(way.receiver)])
    #expect(run.status == 0, "\(run.errors)")
  }

  /// A relay samples and limits what it translated as it does OTLP, and accounts for it.
  @Test(arguments: Way.others) func routesHoldWhateverTheFormat(_ way: Way) async throws {
    let back = try Sink()
    let relay = try await LongspanProcess.start(
      "relay",
      """
      region: us-east-1
      \(Self.receivers)
      processors: {batch: {timeout: 100ms}}
      routes: [{from: us-east-1, to: eu-west-1, sampling: 0}]
      exporters: {otlp: {endpoint: "127.0.0.1:\(back.port)", tls: {insecure: true}}}
      admin: {endpoint: "127.0.0.1:0"}
      """)
    try await send(way, to: relay)
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape["longspan_received_spans_total{receiver=\"\(way.receiver)\"}"] == 10)
    #expect(scrape.outcome("sampled_out") + scrape.outcome("forwarded") == 10)
    // All spans that share a request with a client's travel its route; those of the other region come alone.
    #expect(scrape.outcome("sampled_out") >= 4)
    #expect(scrape.sum("longspan_sampling_spans_total", "us-east-1", "eu-west-1", "dropped") >= 3)
    scrape.expectBalanced()
  }
}

extension FormatTests.Way {
  /// Zipkin has no links.
  fileprivate var hasLinks: Bool { !format.hasPrefix("zipkin") }
}

/// What a span says, without what only some exporters can say: types of tags, and which names they add.
private struct PlainSpan: Equatable {
  var id: String
  var name: String
  var kind: Span.SpanKind
  var ids: [String]
  var times: [UInt64]
  var status: String
  var events: [String]
  var attributes: [String: String]
  var links: [String]
  var place: [String]

  typealias Span = Opentelemetry_Proto_Trace_V1_Span

  init(
    _ span: Span, in resource: Opentelemetry_Proto_Resource_V1_Resource,
    scope: Opentelemetry_Proto_Common_V1_InstrumentationScope
  ) {
    func hex(_ data: Data) -> String { data.map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined() }
    id = hex(span.spanID)
    name = span.name
    kind = span.kind
    ids = [hex(span.traceID), hex(span.parentSpanID)]
    times = [span.startTimeUnixNano, span.endTimeUnixNano]
    status = "\(span.status.code) \(span.status.message)"
    events = span.events.map { event in
      let said = Self.texts(event.attributes).sorted { $0.key < $1.key }
      return "\(event.name) at \(event.timeUnixNano): \(said.map { "\($0.key)=\($0.value)" })"
    }
    attributes = Self.texts(span.attributes)
    links = span.links.map { hex($0.traceID) + hex($0.spanID) }
    let named = Self.texts(resource.attributes)
    place = [named["service.name"] ?? "", named["cloud.region"] ?? "", scope.name, scope.version]
  }

  var withoutLinks: PlainSpan {
    var copy = self
    copy.links = []
    return copy
  }

  private static func texts(_ attributes: [Opentelemetry_Proto_Common_V1_KeyValue]) -> [String: String] {
    Dictionary(
      attributes.map { attribute in
        switch attribute.value.value {
        case .stringValue(let text): (attribute.key, text.lowercased())
        case .boolValue(let flag): (attribute.key, "\(flag)")
        case .intValue(let number): (attribute.key, "\(number)")
        case .doubleValue(let number): (attribute.key, "\(number)")
        default: (attribute.key, "?")
        }
      }
    ) { $1 }
  }
}
