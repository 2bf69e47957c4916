import Foundation
import TestKit
import Testing

/// Spans that client and server share (B3), as py_zipkin writes them.
@Suite(.fewAtOnce) struct SharedSpanTests {
  private func hex(_ data: Data) -> String { data.map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined() }

  @Test(arguments: ["v1_json", "v2_json", "v2_proto"]) func halvesBecomeParentAndChild(_ encoding: String) async throws
  {
    let back = try Sink()
    let relay = try await LongspanProcess.start(
      "relay",
      """
      region: us-east-1
      receivers: {zipkin: {endpoint: "127.0.0.1:0"}}
      processors: {batch: {timeout: 100ms}}
      exporters: {otlp: {endpoint: "127.0.0.1:\(back.port)", tls: {insecure: true}, compression: none}}
      admin: {endpoint: "127.0.0.1:0"}
      """)
    let run = try await Command.run(
      Root.formatsPython, ["-W", "ignore", Root.peer("shared.py"), encoding, try await relay.address("zipkin")])
    #expect(run.status == 0, "\(run.errors)")
    let spans = try await back.spans(atLeast: 3)
    #expect(spans.count == 3)
    let client = try #require(spans.first { $0.kind == .client })
    let server = try #require(spans.first { $0.kind == .server })
    let query = try #require(spans.first { $0.name == "query" })
    #expect(hex(client.traceID) == "00000000000000005af7183fb1d4cf5f")
    #expect([client, server, query].allSatisfy { $0.traceID == client.traceID })
    #expect(hex(client.spanID) == "000000000000000b")
    #expect(hex(client.parentSpanID) == "000000000000000a")
    #expect(server.parentSpanID == client.spanID)
    #expect(query.parentSpanID == server.spanID)
    #expect(query.kind == .internal)
    #expect(client.events.map(\.name) == ["sent"])
    #expect(client.endTimeUnixNano - client.startTimeUnixNano == 1_500_000_000)
    #expect(server.endTimeUnixNano - server.startTimeUnixNano == 1_000_000_000)
    let said = Dictionary(client.attributes.map { ($0.key, $0.value.stringValue) }) { $1 }
    #expect(said["peer.service"] == "back" && said["server.address"] == "10.0.0.2")
    let services = try back.exports().flatMap { $0.resourceSpans.map(\.resource) }.flatMap { resource in
      resource.attributes.filter { $0.key == "service.name" }.map(\.value.stringValue)
    }
    #expect(Set(services) == ["front", "back"])
    (try await relay.scrapeAtRest()).expectBalanced()
  }
}
