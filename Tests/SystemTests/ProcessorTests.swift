import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Processors on both roles, over what the OpenTelemetry SDK for Python sends; swift-protobuf reads what comes out.
@Suite(.fewAtOnce) struct ProcessorTests {
  /// Which role has the processors.
  enum Role: String, CaseIterable, Sendable { case relay, aggregator }

  private struct Stack {
    var back: Sink
    var aggregator: LongspanProcess
    var relay: LongspanProcess

    func send(to peers: String...) async throws -> OTLPRequest {
      let count = try back.spans().count
      let endpoint = "http://" + (try await relay.address("otlp_grpc"))
      let run = try await Command.run(Root.python, [Root.peer("secrets.py"), endpoint, "us-east-1"] + peers)
      #expect(run.status == 0, "\(run.errors)")
      _ = try await back.spans(atLeast: count + 2 * peers.count)
      var all = OTLPRequest()
      all.resourceSpans = try back.exports().flatMap(\.resourceSpans)
      return all
    }

    /// Both roles account for every span, and end well.
    func end() async throws {
      _ = try await aggregator.scrape(until: { $0.outcome("forwarded") > 0 }, "spans are forwarded")
      (try await relay.scrape()).expectBalanced()
      #expect(await relay.end() == 0)
      #expect(await aggregator.end() == 0)
    }
  }

  private func stack(_ role: Role, _ processors: String, relay more: String = "") async throws -> Stack {
    let back = try Sink()
    let aggregator = try await Deployment.aggregator(
      [back], more: role == .aggregator ? "processors: {\(processors)}" : "")
    let relay = try await Deployment.relay(
      "us-east-1", to: try await aggregator.address("otlp_grpc"), more: more,
      processors: role == .relay ? processors : "")
    return Stack(back: back, aggregator: aggregator, relay: relay)
  }

  private func texts(_ attributes: [OTLPAttribute]) -> [String: String] {
    Dictionary(attributes.map { ($0.key, $0.value.stringValue) }) { first, _ in first }
  }

  private static let card = "paid with 4111111111111111 today"
  private static let masked = "paid with **** today"

  @Test(arguments: Role.allCases)
  func redactionReachesEverythingWithAttributes(_ role: Role) async throws {
    let stack = try await stack(
      role,
      #"""
      redaction: {allow_all_keys: true, blocked_values: ["4[0-9]{12}(?:[0-9]{3})?"], blocked_key_patterns: [".*token.*"],
      ignored_keys: [link.ignored], summary: info}
      """#)
    let output = try await stack.send(to: "us-west-2")
    let text = output.spans.map { $0.textFormatString() } + output.resourceSpans.map { $0.textFormatString() }
    #expect(!text.contains { $0.contains("4111") })
    let resource = try #require(output.resourceSpans.first)
    #expect(texts(resource.resource.attributes)["build.note"] == Self.masked)
    #expect(texts(resource.resource.attributes)["service.name"] == "shop")
    #expect(texts(resource.resource.attributes)["cloud.region"] == "us-east-1")
    #expect(texts(resource.scopeSpans[0].scope.attributes)["scope.note"] == Self.masked)
    let client = try #require(output.spans.first { $0.kind == .client })
    let call = try #require(output.spans.first { $0.kind != .client })
    #expect(texts(client.attributes)["span.note"] == Self.masked)
    #expect(texts(client.attributes)["api.token"] == "****")
    #expect(texts(client.attributes)["peer.region"] == "us-west-2")
    let notes = try #require(client.attributes.first { $0.key == "notes" }).value.arrayValue.values.map(\.stringValue)
    #expect(notes == [Self.masked, "fine"])
    #expect(client.attributes.contains(.number("redaction.masked.count", 3)))
    #expect(texts(try #require(client.events.first).attributes)["event.note"] == Self.masked)
    #expect(texts(try #require(call.links.first).attributes)["link.note"] == Self.masked)
    let redactor = role == .relay ? stack.relay : stack.aggregator
    let scrape = try await redactor.scrape()
    // Two requests of one span each: resource and scope count in both.
    #expect(scrape["longspan_processor_redacted_attributes_total{action=\"masked\"}"] == 9)
    try await stack.end()
  }

  @Test(arguments: Role.allCases)
  func attributesNamesAndResourcesAreChanged(_ role: Role) async throws {
    let folder = try Root.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try "prod-1\n".write(to: folder.appending(path: "cluster_name"), atomically: true, encoding: .utf8)
    let stack = try await stack(
      role,
      #"""
      resourcedetection: {detectors: [system], override: false}, k8sattributes: {podinfo: "\#(folder.path)"},
      resource: {attributes: [{key: build.note, action: hash}, {key: note, from_attribute: service.name, action: insert},
      {pattern: "^telemetry\\.", action: delete}]},
      attributes: {include: {match_type: regexp, span_names: ["^/api/"]}, actions: [
      {key: user.email, action: hash, hash_key: k}, {key: http.status_code, action: convert, converted_type: int},
      {key: http.url, action: extract, pattern: "^(?P<scheme>[a-z]+)://(?P<host>[^/]+)"}, {key: db.system, action: delete},
      {key: team, value: 7, action: upsert}]},
      span: {name: {to_attributes: {rules: ["^/api/v1/document/(?P<document>.*)/update$"]}}}
      """#)
    let output = try await stack.send(to: "us-west-2")
    let client = try #require(output.spans.first { $0.kind == .client })
    #expect(client.name == "/api/v1/document/{document}/update")
    let attributes = texts(client.attributes)
    #expect(attributes["document"] == "us-west-2-77")
    #expect(attributes["scheme"] == "http")
    #expect(attributes["host"] == "example.com")
    #expect(attributes["db.system"] == nil)
    #expect(attributes["user.email"]?.count == 64)
    #expect(client.attributes.contains(.number("http.status_code", 404)))
    #expect(client.attributes.contains(.number("team", 7)))
    let call = try #require(output.spans.first { $0.kind != .client })
    #expect(call.name == "call")
    #expect(call.attributes.isEmpty)
    let resource = texts(try #require(output.resourceSpans.first).resource.attributes)
    #expect(resource["note"] == "shop")
    #expect(resource["build.note"]?.count == 64)
    #expect(resource["telemetry.sdk.language"] == nil)
    #expect(resource["os.type"] == "linux")
    #expect(resource["host.name"] == ProcessInfo.processInfo.hostName)
    #expect(resource["k8s.cluster.name"] == "prod-1")
    try await stack.end()
  }

  /// What must not leave for one region may be told to another; the resource, which both share, tells neither.
  @Test func aRouteRedactsItsOwnSpans() async throws {
    let stack = try await stack(
      .relay, #"redaction: {allow_all_keys: true, blocked_key_patterns: ["token"]}"#,
      relay: #"""
        routes:
          - {from: us-east-1, to: us-west-2, sampling: 1}
          - from: us-east-1
            to: eu-west-1
            sampling: 1
            redaction: {allow_all_keys: true, blocked_values: ["4[0-9]{15}"]}
        """#)
    let output = try await stack.send(to: "us-west-2", "eu-west-1")
    let clients = output.spans.filter { $0.kind == .client }.map { texts($0.attributes) }
    let west = try #require(clients.first { $0["peer.region"] == "us-west-2" })
    let europe = try #require(clients.first { $0["peer.region"] == "eu-west-1" })
    #expect(west["span.note"] == Self.card)
    #expect(europe["span.note"] == Self.masked)
    #expect(west["api.token"] == "****" && europe["api.token"] == "****")
    for resource in output.resourceSpans {
      let peers = resource.scopeSpans.flatMap(\.spans).compactMap { texts($0.attributes)["peer.region"] }
      guard !peers.isEmpty else { continue }
      #expect(texts(resource.resource.attributes)["build.note"] == (peers == ["us-west-2"] ? Self.card : Self.masked))
    }
    try await stack.end()
  }

  @Test(arguments: Role.allCases)
  func aReloadPutsProcessorsInForce(_ role: Role) async throws {
    let stack = try await stack(role, "attributes: {actions: [{key: life, value: first, action: insert}]}")
    let before = try await stack.send(to: "us-west-2")
    #expect(before.spans.allSatisfy { texts($0.attributes)["life"] == "first" })
    let process = role == .relay ? stack.relay : stack.aggregator
    let file = process.folder.appending(path: "\(role.rawValue).yaml")
    let text = try String(contentsOf: file, encoding: .utf8)
    let second = text.replacing("value: first", with: "value: second")
    try second.replacing("action: insert", with: "action: nonsense").write(to: file, atomically: true, encoding: .utf8)
    kill(process.pid, SIGHUP)
    _ = try await process.scrape(until: { $0["longspan_config_reload_failures_total"] == 1 }, "the refused reload")
    try second.write(to: file, atomically: true, encoding: .utf8)
    kill(process.pid, SIGHUP)
    _ = try await process.scrape(until: { $0["longspan_config_generation"] == 2 }, "the second generation")
    let after = try await stack.send(to: "us-west-2")
    #expect(after.spans.count { texts($0.attributes)["life"] == "second" } == 2)
    #expect(after.spans.count { texts($0.attributes)["life"] == "first" } == 2)
    try await stack.end()
  }
}
