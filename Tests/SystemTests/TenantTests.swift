import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Several parties share one gateway: whose spans they are travels end to end, and nobody's traces merge with another's.
@Suite(.fewAtOnce) struct TenantTests {
  private let folder: URL

  init() throws { folder = try Root.temporaryFolder() }

  private func path(_ name: String) -> String { folder.appending(path: name).path }

  private func relay(
    _ region: String = "us-east-1", to aggregator: String, tenants: String? = "{}", queue: String = "",
    batch: String = "timeout: 50ms", local: String = ""
  ) async throws -> LongspanProcess {
    try await LongspanProcess.start(
      "relay",
      """
      region: \(region)
      receivers:
        otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}
        zipkin: {endpoint: "127.0.0.1:0"}
        jaeger: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, thrift_http: {endpoint: "127.0.0.1:0"}}}
      processors: {batch: {\(batch)}}
      exporters:
        otlp:
          endpoint: "\(aggregator)"
          tls: {insecure: true}
          retry_on_failure: {initial_interval: 100ms, max_interval: 200ms}
          sending_queue: {\(queue)}
      \(local.isEmpty ? "" : "  " + local)
      admin: {endpoint: "127.0.0.1:0"}
      \(tenants.map { "tenants: \($0)" } ?? "")
      """)
  }

  private func aggregator(
    _ exporters: [String: String] = [:], tenants: String? = "{}", idle: String = "5s", storage: String? = nil
  ) async throws -> LongspanProcess {
    let sections = exporters.map { "  \($0): \($1)" }
    return try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
      stitching: {idle_timeout: \(idle)\(storage.map { ", storage: \"\($0)\"" } ?? "")}
      \(sections.isEmpty ? "" : "exporters:\n" + sections.joined(separator: "\n"))
      admin: {endpoint: "127.0.0.1:0"}
      \(tenants.map { "tenants: \($0)" } ?? "")
      """)
  }

  private func section(_ port: Int) -> String {
    """
    {endpoint: "127.0.0.1:\(port)", compression: none, tls: {insecure: true},
        retry_on_failure: {initial_interval: 50ms, max_interval: 200ms}}
    """
  }

  private func send(
    _ data: Data, as tenant: String?, to process: LongspanProcess, location: SourceLocation = #_sourceLocation
  ) async throws {
    let fields = ["content-type: application/x-protobuf"] + (tenant.map { ["x-scope-orgid: \($0)"] } ?? [])
    let url = "http://\(try await process.address("otlp_http"))/v1/traces"
    let answer = try await Curl.send(url, fields: fields, body: data)
    #expect(answer.status == 200, "\(answer.errors) \(process.logText)", sourceLocation: location)
  }

  private let tenants = [nil, "team-a", "Team.B"]

  /// The two halves of one call, in two regions.
  private func halves() throws -> (client: Data, server: Data) {
    var (client, server) = (Traces.span("call"), Traces.span("serve"))
    client.kind = .client
    server.traceID = client.traceID
    server.parentSpanID = client.spanID
    return (
      try Traces.request([client], region: "us-east-1").serializedBytes(),
      try Traces.request([server], region: "eu-west-1").serializedBytes()
    )
  }

  private let crossing = "{source_region=\"us-east-1\",target_region=\"eu-west-1\"}"

  /// Each tenant's trace came by itself, whole, with the tenant's name.
  private func expectApart(_ sink: Sink, location: SourceLocation = #_sourceLocation) throws {
    let (exports, names) = (try sink.exports(), try sink.metadata("x-scope-orgid"))
    #expect(exports.count == tenants.count, sourceLocation: location)
    for (export, name) in zip(exports, names) {
      let spans = export.resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) }
      #expect(spans.map(\.name).sorted() == ["call", "serve"], "\(name)", sourceLocation: location)
    }
    #expect(Set(names) == Set(tenants.map { $0.map { [$0] } ?? [] }), sourceLocation: location)
    #expect(Set(try sink.spans().map(\.traceID)).count == 1, "under the ID it was sent with", sourceLocation: location)
  }

  // MARK: Keeping apart

  @Test func tracesWithTheSameIDStayApart() async throws {
    let (sink, http) = (try Sink(), try await HTTPSink(.otlp))
    let aggregator = try await aggregator(["otlp": section(sink.port), "otlphttp/tempo": http.section()])
    let address = try await aggregator.address("otlp_grpc")
    let local = try await HTTPSink(.zipkin)
    let (us, eu) = (
      try await relay("us-east-1", to: address),
      try await relay("eu-west-1", to: address, local: "zipkin: \(local.section())")
    )
    let (client, server) = try halves()
    for tenant in tenants {
      try await send(client, as: tenant, to: us)
      try await send(server, as: tenant, to: eu)
    }
    let scrape = try await aggregator.scrape(until: { $0.outcome("forwarded") == 6 }, "all is handed on")
    scrape.expectBalanced()
    #expect(scrape.outcome("duplicate") == 0)
    #expect(scrape["trace_count\(crossing)"] == 3 && scrape["region_flow_requests_total\(crossing)"] == 3)
    #expect(scrape.sum("stitching_traces_total", "complete=\"true\"") == 3)
    #expect(scrape["longspan_tenants"] == 2)
    for tenant in tenants.compactMap(\.self) {
      #expect(scrape["longspan_tenant_received_spans_total{tenant=\"\(tenant)\"}"] == 2)
    }
    try expectApart(sink)
    let posted = try http.requests()
    #expect(Set(posted.map { $0.headers["x-scope-orgid"] }) == Set(tenants) && posted.count == 3)
    #expect(posted.allSatisfy { $0.spans.count == 2 } && http.wrong.isEmpty)
    // The relay's own exporters are told, too.
    try await local.spans(atLeast: 3)
    #expect(Set(try local.requests().map { $0.headers["x-scope-orgid"] }) == Set(tenants))
    // A span that comes late is its tenant's.
    try await send(client, as: "Team.B", to: us)
    try await send(client, as: "other", to: us)
    let late = try await aggregator.scrape(until: { $0.outcome("forwarded") == 7 }, "another's trace is a new one")
    #expect(late.outcome("duplicate") == 1)
    #expect(try sink.metadata("x-scope-orgid").last == ["other"])
    for process in [us, eu, aggregator] {
      try await process.scrapeAtRest().expectBalanced()
      #expect(await process.end() == 0)
    }
  }

  /// What a relay remembers of a trace's routes is its tenant's.
  @Test func anothersRouteDecidesNothing() async throws {
    let sink = try Sink()
    let relay = try await relay(
      to: "127.0.0.1:\(sink.port)",
      tenants: """
        {}
        sampling: {param: 0}
        routes: [{from: us-east-1, to: eu-west-1, sampling: 1}]
        """)
    var (client, inner) = (Traces.span("call"), Traces.span("inner"))
    client.kind = .client
    client.attributes = [.with { ($0.key, $0.value.stringValue) = ("peer.region", "eu-west-1") }]
    (inner.kind, inner.traceID) = (.internal, client.traceID)
    let (first, second) = (
      try Traces.request([client]).serializedBytes() as Data, try Traces.request([inner]).serializedBytes() as Data
    )
    try await send(first, as: "a", to: relay)
    for tenant in ["b", nil, "a"] { try await send(second, as: tenant, to: relay) }
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 2 && scrape.outcome("sampled_out") == 2)
    #expect(Set(try sink.metadata("x-scope-orgid")) == [["a"]])
  }

  /// Without the section nobody asks, nothing is passed on, and all are one.
  @Test func whereTheyAreOffNothingIsDifferent() async throws {
    let sink = try Sink()
    let relay = try await relay(to: "127.0.0.1:\(sink.port)", tenants: nil)
    for name in ["a", "no name at all", nil] { try await send(try Traces.good(), as: name, to: relay) }
    _ = try await sink.spans(atLeast: 3)
    #expect(try sink.metadata("x-scope-orgid").allSatisfy(\.isEmpty))
    #expect(try sink.metadata("longspan-batch").allSatisfy { $0.count == 1 })
    #expect(!(try await relay.scrape().text.contains("tenant")))
    #expect(await relay.end() == 0)
  }

  // MARK: What outlives the process

  @Test func aKilledRelayKnowsWhoseItsBatchesAre() async throws {
    let port = try FreePort.pick()
    let queue = "storage: \"\(path("queue"))\""
    let first = try await relay(to: "127.0.0.1:\(port)", queue: queue)
    for tenant in tenants { for _ in 0..<3 { try await send(try Traces.good(4), as: tenant, to: first) } }
    #expect(try await first.scrape().held == 36)
    #expect(await first.end(SIGKILL) != 0)
    // Even where the next life asks nobody.
    let second = try await relay(to: "127.0.0.1:\(port)", tenants: nil, queue: queue)
    #expect(try await second.scrape().held == 36)
    let sink = try Sink(port: port)
    #expect(try await sink.spans(atLeast: 36).count == 36)
    try await second.scrapeAtRest().expectBalanced()
    var spans: [String?: Int] = [:]
    for (export, names) in zip(try sink.exports(), try sink.metadata("x-scope-orgid")) {
      #expect(names.count <= 1)
      spans[names.first, default: 0] += export.resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) }.count
    }
    #expect(spans == [nil: 12, "team-a": 12, "Team.B": 12])
  }

  @Test func aKilledAggregatorKeepsThemApart() async throws {
    let (alive, port, storage) = (try Sink(), try FreePort.pick(), path("journal"))
    let first = try await aggregator(idle: "60s", storage: storage)
    let (client, server) = try halves()
    for tenant in tenants { try await send(client, as: tenant, to: first) }
    #expect(await first.end(SIGKILL) != 0)
    let exporters = ["otlp/alive": section(alive.port), "otlp/dead": section(port)]
    let second = try await aggregator(exporters, storage: storage)
    #expect(try await second.scrape().sum("longspan_held_spans", "stitching") == 3, "\(second.logText)")
    for tenant in tenants { try await send(server, as: tenant, to: second) }
    #expect(try await alive.spans(atLeast: 6).count == 6)
    try expectApart(alive)
    // The one that took them is noted; the other still waits.
    _ = try await second.scrape(until: { $0["longspan_storage_appended_records_total"] >= 5 }, "it is written down")
    #expect(await second.end(SIGKILL) != 0)
    // Even where the next life asks nobody.
    let third = try await aggregator(exporters, tenants: nil, storage: storage)
    #expect(try await third.scrape().held == 6, "\(third.logText)")
    let dead = try Sink(port: port)
    #expect(try await dead.spans(atLeast: 6).count == 6)
    let rest = try await third.scrapeAtRest()
    rest.expectBalanced()
    #expect(rest["trace_count\(crossing)"] == 3)
    try expectApart(dead)
    #expect(try alive.spans().count == 6, "nothing again")
  }

  // MARK: Who may send, and how much

  @Test func whoDoesNotSayItRightIsTurnedAway() async throws {
    let sink = try Sink()
    let relay = try await relay(
      to: "127.0.0.1:\(sink.port)", tenants: "{header: X-Team, required: true, max: 2, overrides: {mine: {}}}")
    let addresses = (
      grpc: try await relay.address("otlp_grpc"), jaeger: try await relay.address("jaeger_grpc"),
      paths: [
        "\(try await relay.address("otlp_http"))/v1/traces", "\(try await relay.address("zipkin"))/api/v2/spans",
        "\(try await relay.address("jaeger_thrift_http"))/api/traces",
      ]
    )
    let post = "/jaeger.api_v2.CollectorService/PostSpans"
    let long = String(repeating: "x", count: 151)
    // No tenant, no name, two names; one that there is no room for after the first.
    let cases: [(fields: [String], status: Int, code: Int)] = [
      ([], 401, 16), (["x-scope-orgid: a"], 401, 16), (["x-team: a/b"], 400, 3), (["x-team: .."], 400, 3),
      (["x-team: \(long)"], 400, 3), (["x-team: a", "X-Team: a"], 400, 3), (["x-team: a"], 200, 0),
      (["x-team: b"], 403, 7), (["x-team: mine"], 200, 0),
    ]
    for (fields, status, code) in cases {
      for version in Curl.Version.allCases {
        for (place, url) in addresses.paths.enumerated() where status != 200 || place == 0 {
          let type = ["application/x-protobuf", "application/json", "application/x-thrift"][place]
          let answer = try await Curl.send(
            "http://\(url)", version, fields: ["content-type: \(type)"] + fields, body: Data())
          #expect(answer.status == status, "\(fields) at \(url)")
        }
      }
      #expect(try await Curl.gRPC(addresses.grpc, fields: fields, frame: Curl.frame(Data())).gRPCStatus == code)
      #expect(
        try await Curl.gRPC(addresses.jaeger, path: post, fields: fields, frame: Curl.frame(Data())).gRPCStatus == code)
    }
    let call = try await Call.export(addresses.grpc, try Traces.good(), "--metadata", "x-team=mine")
    #expect(call.code == "OK")
    _ = try await sink.spans(atLeast: 1)
    #expect(try sink.metadata("x-team") == [["mine"]])
    let scrape = try await relay.scrapeAtRest()
    scrape.expectBalanced()
    #expect(scrape.received == 1)
    #expect(scrape.refused("unauthenticated") == 16 && scrape.refused("malformed") == 32)
    #expect(scrape.refused("forbidden") == 8)
    let past = "longspan_tenant_refused_requests_total{tenant=\"__overflow__\",reason=\"max_tenants\"}"
    #expect(scrape[past] == 8, "\(scrape.text)")
    let check = try await Command.run("promtool", ["check", "metrics"], input: Data(scrape.text.utf8))
    #expect(check.status == 0 && (check.text + check.errors).isEmpty, "\(check.text + check.errors)")
  }

  @Test func aLimitRefusesAndALoadOfTryingAgainGetsEverythingThrough() async throws {
    let sink = try Sink()
    let limits = "{limits: {spans_per_second: 200, burst: 10ms}, overrides: {free: {spans_per_second: 0}}}"
    let aggregator = try await aggregator(["otlp": section(sink.port)], tenants: limits)
    let relay = try await relay(
      to: try await aggregator.address("otlp_grpc"),
      batch: "timeout: 50ms, send_batch_size: 50, send_batch_max_size: 50")
    for _ in 0..<8 { try await send(try Traces.good(100), as: "slow", to: relay) }
    for _ in 0..<8 { try await send(try Traces.good(100), as: "free", to: relay) }
    let sent = try await relay.scrapeAtRest()
    #expect(sent.outcome("forwarded") == 1600)
    sent.expectBalanced()
    #expect(try await sink.spans(atLeast: 1600).count == 1600)
    let scrape = try await aggregator.scrapeAtRest()
    scrape.expectBalanced()
    #expect(scrape.outcome("forwarded") == 1600 && scrape.outcome("duplicate") == 0)
    func refused(_ what: String, _ tenant: String) -> Double {
      scrape.sum("longspan_tenant_refused_\(what)_total", "tenant=\"\(tenant)\"", "reason=\"spans_per_second\"")
    }
    #expect(refused("requests", "slow") > 0 && refused("requests", "free") == 0)
    #expect(scrape.refused("overload") == refused("requests", "slow"))
    #expect(scrape.outcome("rejected") == refused("spans", "slow"), "\(scrape.text)")
    let received = scrape["longspan_tenant_received_spans_total{tenant=\"slow\"}"]
    #expect(received == 800 + refused("spans", "slow"))
    for (export, names) in zip(try sink.exports(), try sink.metadata("x-scope-orgid")) {
      #expect(names.count == 1 && ["slow", "free"].contains(names[0]))
      #expect(!export.resourceSpans.isEmpty)
    }
  }

  @Test func aClientIsToldHowLongToWaitAndAReloadHelps() async throws {
    let sink = try Sink()
    let relay = try await relay(to: "127.0.0.1:\(sink.port)", tenants: "{limits: {bytes_per_second: 10}}")
    try await send(try Traces.good(50), as: "a", to: relay)
    let grpc = try await relay.address("otlp_grpc")
    let call = try await Call.export(grpc, try Traces.good(), "--metadata", "x-scope-orgid=a")
    #expect(call.code == "UNAVAILABLE" && (call.retry_delay ?? 0) > 60, "\(call)")
    let url = "http://\(try await relay.address("otlp_http"))/v1/traces"
    let fields = ["content-type: application/x-protobuf", "x-scope-orgid: a"]
    for version in Curl.Version.allCases {
      let answer = try await Curl.send(url, version, fields: fields, body: try Traces.good())
      #expect(answer.status == 429 && (answer["retry-after"].flatMap { Int($0) } ?? 0) > 60)
      #expect(RPCStatusBody(protobuf: answer.body)?.code == 8)
    }
    try await send(try Traces.good(), as: "b", to: relay)
    let before = try await relay.scrape()
    #expect(before.refused("overload") == 3 && before.outcome("rejected") == 0, "nothing of them was read")
    let file = relay.folder.appending(path: "relay.yaml")
    let text = try String(contentsOf: file, encoding: .utf8)
    try text.replacing("bytes_per_second: 10", with: "bytes_per_second: 1e9").write(
      to: file, atomically: true, encoding: .utf8)
    kill(relay.pid, SIGHUP)
    _ = try await relay.scrape(until: { $0["longspan_config_generation"] == 2 }, "the second generation")
    // What was owed is paid at once now.
    #expect(try await Curl.send(url, fields: fields, body: try Traces.good()).status == 200)
    try text.replacing("{limits", with: "{header: X-Other, limits").write(to: file, atomically: true, encoding: .utf8)
    kill(relay.pid, SIGHUP)
    #expect(try await relay.logLine { $0.contains("restart") }.contains("tenants"))
    #expect(try await Curl.send(url, fields: fields, body: try Traces.good()).status == 200)
    try await relay.scrapeAtRest().expectBalanced()
    #expect(await relay.end() == 0)
  }
}
