import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// Every kind of exporter, towards back ends that check what they get.
@Suite(.fewAtOnce) struct ExporterTests {
  /// An aggregator with these lines as its exporters.
  private func aggregator(_ exporters: String..., log: String = "") async throws -> LongspanProcess {
    try await LongspanProcess.start("aggregator", Self.text(exporters, log: log))
  }

  private static func text(_ exporters: [String], log: String = "") -> String {
    """
    receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
    stitching: {idle_timeout: 1s}
    exporters:
    \(exporters.map { "  \($0)" }.joined(separator: "\n"))
    admin: {endpoint: "127.0.0.1:0"}
    \(log)
    """
  }

  private func send(_ message: Data, to process: LongspanProcess) async throws {
    #expect(try await Call.export(try await process.address("otlp_grpc"), message).code == "OK")
  }

  private func named(_ names: String...) throws -> Data {
    try Traces.request(names.map { Traces.span($0) }, region: "us-east-1").serializedBytes()
  }

  /// So many spans of one trace, which travel in one request.
  private func trace(_ count: Int) throws -> Data {
    let id = Traces.random(16)
    let spans = (0..<count).map { _ in
      var span = Traces.span()
      span.traceID = id
      return span
    }
    return try Traces.request(spans).serializedBytes()
  }

  @Test(arguments: HTTPSink.Kind.allCases, ["none", "gzip", "zstd"])
  func everySpanArrivesOnce(_ kind: HTTPSink.Kind, _ compression: String) async throws {
    let sink = try await HTTPSink(kind)
    let process = try await aggregator(
      "\(kind.exporter)/x: \(sink.section("compression: \(compression), headers: {X-Scope-OrgID: t, AccountID: 7}"))")
    try await send(try Traces.good(500), to: process)
    let spans = try await sink.spans(atLeast: 500)
    #expect(spans.count == 500 && Set(spans).count == 500)
    #expect(spans.allSatisfy { $0.name == "good" })
    #expect(sink.wrong.isEmpty, "\(sink.wrong)")
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 500)
    #expect(scrape["longspan_exporter_sent_spans_total{exporter=\"\(kind.exporter)/x\"}"] == 500)
    scrape.expectBalanced()
    for request in try sink.requests() {
      #expect(request.headers["x-scope-orgid"] == "t" && request.headers["accountid"] == "7")
      #expect(request.headers["content-encoding"] == (compression == "none" ? nil : compression))
      #expect(request.headers["host"] == "127.0.0.1:\(sink.port)")
    }
    let paths = Set(try sink.requests().map { $0.path.split(separator: "?")[0] })
    #expect(paths == [["otlp": "/v1/traces", "zipkin": "/api/v2/spans", "elasticsearch": "/_bulk"][kind.rawValue]])
    #expect(await process.end() == 0)
  }

  @Test func theExactPathOfTracesEndpoint() async throws {
    let sink = try await HTTPSink(.otlp)
    let path = "/insert/opentelemetry/v1/traces"
    let process = try await aggregator("otlphttp/v: {traces_endpoint: \"http://127.0.0.1:\(sink.port)\(path)\"}")
    try await send(try named("a"), to: process)
    try await sink.spans(atLeast: 1)
    #expect(try sink.requests().map(\.path) == [path])
  }

  @Test(arguments: HTTPSink.Kind.allCases) func refusedRequestsAreSentAgain(_ kind: HTTPSink.Kind) async throws {
    let sink = try await HTTPSink(kind, "--refuse", "3", "--status", kind == .zipkin ? "429" : "503")
    let process = try await aggregator("\(kind.exporter): \(sink.section())")
    try await send(try Traces.good(20), to: process)
    #expect(Set(try await sink.spans(atLeast: 20)).count == 20)
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 20)
    #expect(scrape.sum("longspan_exporter_retries_total") == 3)
    #expect(scrape.sum("longspan_exporter_requests_total", "code=\"UNAVAILABLE\"") == 3)
    scrape.expectBalanced()
  }

  @Test func thePeerSaysWhenToComeBack() async throws {
    let sink = try await HTTPSink(.otlp, "--refuse", "1", "--retry-after", "2")
    let process = try await aggregator("otlphttp: \(sink.section())")
    try await send(try named("a"), to: process)
    try await sink.spans(atLeast: 1)
    let (refused, accepted) = (try #require(sink.refusals().first), try #require(sink.acceptances().first))
    // Without the peer's wish it would have been 25 to 75 ms.
    #expect(accepted - refused >= 2)
  }

  @Test(arguments: HTTPSink.Kind.allCases, ["400", "401", "500"])
  func permanentRefusalsEndABatch(_ kind: HTTPSink.Kind, _ status: String) async throws {
    let sink = try await HTTPSink(kind, "--refuse", "1", "--status", status)
    let process = try await aggregator("\(kind.exporter): \(sink.section())")
    try await send(try trace(4), to: process)
    let lost = try await process.scrapeAtRest()
    #expect(lost.outcome("undeliverable") == 4)
    lost.expectBalanced()
    try await send(try named("a", "b"), to: process)
    try await sink.spans(atLeast: 2)
    #expect(try await process.scrapeAtRest().outcome("forwarded") == 2)
  }

  @Test func whatOTLPRejectsIsUndeliverable() async throws {
    let sink = try await HTTPSink(.otlp, "--reject", "3")
    let process = try await aggregator("otlphttp: \(sink.section())")
    try await send(try trace(9), to: process)
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 6 && scrape.outcome("undeliverable") == 3)
    scrape.expectBalanced()
  }

  /// Only the documents for which there was no room are sent again, and those that cannot be mapped are dropped.
  @Test func elasticsearchJudgesEveryDocument() async throws {
    let sink = try await HTTPSink(.elasticsearch, "--busy", "7", "--bad", "odd")
    let process = try await aggregator("elasticsearch: \(sink.section())")
    let spans = (0..<20).map { Traces.span($0 % 5 == 3 ? "odd" : "fine") }
    try await send(try Traces.request(spans).serializedBytes(), to: process)
    let arrived = try await sink.spans(atLeast: 16)
    let scrape = try await process.scrapeAtRest()
    #expect(arrived.count == 16 && Set(arrived).count == 16)
    #expect(arrived.allSatisfy { $0.name == "fine" && $0.index == "traces-generic-default" })
    #expect(scrape.outcome("forwarded") == 16 && scrape.outcome("undeliverable") == 4)
    #expect(scrape["longspan_exporter_dropped_spans_total{exporter=\"elasticsearch\",reason=\"rejected\"}"] == 4)
    #expect(scrape.sum("longspan_exporter_retries_total") >= 1)
    scrape.expectBalanced()
    #expect(!process.logText.contains("secret-value"), "a back end's words may quote what a span holds")
  }

  /// One that is down or says nothing holds up nobody.
  @Test func severalAtOnce() async throws {
    let sinks = [try await HTTPSink(.otlp), try await HTTPSink(.zipkin), try await HTTPSink(.elasticsearch)]
    let hole = try await HTTPSink(.otlp, "--silent")
    let grpc = try Sink()
    let file = try Root.temporaryFolder().appending(path: "traces.json")
    let process = try await aggregator(
      "otlphttp/a: \(sinks[0].section())", "zipkin: \(sinks[1].section())", "elasticsearch: \(sinks[2].section())",
      "otlphttp/hole: \(hole.section("timeout: 1s"))",
      "otlphttp/dead: {endpoint: \"http://127.0.0.1:\(try FreePort.pick())\"}",
      "otlp/grpc: {endpoint: \"127.0.0.1:\(grpc.port)\", tls: {insecure: true}}", "debug:",
      "file: {path: \"\(file.path)\"}")
    try await send(try Traces.good(300), to: process)
    for sink in sinks { #expect(Set(try await sink.spans(atLeast: 300)).count == 300) }
    #expect(try await grpc.spans(atLeast: 300).count == 300)
    let names = ["otlphttp/a", "zipkin", "elasticsearch", "otlp/grpc", "debug", "file"]
    let scrape = try await process.scrape(
      until: { scrape in
        names.allSatisfy { scrape["longspan_exporter_sent_spans_total{exporter=\"\($0)\"}"] == 300 }
      }, "all but two have everything")
    #expect(scrape.outcome("forwarded") == 0, "forwarded means handed to every exporter")
    #expect(scrape["longspan_held_spans{stage=\"queue\"}"] == 300)
    scrape.expectBalanced()
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    let ids = try lines.flatMap { try FileLine(String($0)).spans.map(\.spanId) }
    #expect(ids.count == 300 && Set(ids).count == 300)
    try? FileManager.default.removeItem(at: file.deletingLastPathComponent())
  }

  /// HTTP/1.1 as servers speak it who end connections after an answer, or after a while.
  @Test(arguments: [["--close"], ["--idle", "0.2"]]) func serversThatHangUp(_ options: [String]) async throws {
    let sink = try await HTTPSink(.otlp, options[0], options.count > 1 ? options[1] : "--close")
    let process = try await aggregator("otlphttp: \(sink.section("connections: 1"))")
    for round in 1...4 {
      try await send(try Traces.good(10), to: process)
      try await sink.spans(atLeast: 10 * round)
    }
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 40)
    #expect(Set(try sink.spans()).count == 40)
    #expect(!process.logText.contains("no connection"), "\(process.logText)")
  }

  @Test func tls() async throws {
    let (authority, clients) = (try await Authority(), try await Authority())
    let server = try await authority.issue("IP:127.0.0.1")
    let client = try await clients.issue("DNS:longspan")
    let sink = try await HTTPSink(
      .elasticsearch, "--cert", server.certificate, "--key", server.key, "--client-ca", clients.certificate)
    let (endpoint, tls) = ("https://127.0.0.1:\(sink.port)", authority.exporter(client))
    let process = try await aggregator(
      "elasticsearch: {endpoint: \"\(endpoint)\", tls: \(tls), user: elastic, password: pa55word}",
      "elasticsearch/key: {endpoint: \"\(endpoint)\", tls: \(tls), api_key: a6ikey, traces_index: mine}",
      "elasticsearch/stranger: {endpoint: \"\(endpoint)\", user: elastic, password: pa55word}")
    try await send(try named("a"), to: process)
    let spans = try await sink.spans(atLeast: 2)
    #expect(Set(spans.map { $0.index }) == ["traces-generic-default", "mine"])
    #expect(
      Set(try sink.requests().map { $0.headers["authorization"] }) == [
        "Basic " + Data("elastic:pa55word".utf8).base64EncodedString(), "ApiKey a6ikey",
      ])
    let line = try await process.logLine { $0.contains("no connection") && $0.contains("stranger") }
    #expect(line.contains("not verified"), "\(line)")
    let status = try await Command.run("curl", ["-sS", "http://\(try await process.address("admin"))/status"])
    for secret in ["pa55word", "a6ikey", Data("elastic:pa55word".utf8).base64EncodedString()] {
      #expect(!status.text.contains(secret) && !process.logText.contains(secret))
    }
  }

  /// Whatever a span and its attributes are called, one event is one line.
  @Test(arguments: ["basic", "detailed"]) func debug(_ verbosity: String) async throws {
    var odd = Traces.span("evil\nERROR forged\u{1b}[31m \u{2028}x")
    odd.attributes = [.with { ($0.key, $0.value.stringValue) = ("a\nb=\"c\"", "d\r\ne") }]
    let resource = Traces.request([odd, Traces.span("plain")], region: "eu\nwest")
    let process = try await aggregator("debug: {verbosity: \(verbosity)}", log: "log: {format: json}")
    let before = process.logText.split(separator: "\n").count
    try await send(try resource.serializedBytes(), to: process)
    _ = try await process.scrape(until: { $0.outcome("forwarded") == 2 }, "both are written")
    let said = verbosity == "basic" ? "trace" : "span"
    _ = try await process.logLine { $0.contains("\"message\":\"\(said)\"") }
    var events: [[String: Any]] = []
    for line in process.logText.split(separator: "\n").dropFirst(before) {
      let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
      if event["message"] as? String == said { events.append(event) }
    }
    #expect(events.count == 2)
    let ids = Set(events.compactMap { $0["trace_id"] as? String })
    #expect(ids.contains(odd.traceID.map { String(Int($0) | 0x100, radix: 16).dropFirst() }.joined()))
    guard verbosity == "detailed" else { return }
    #expect(events.contains { $0["name"] as? String == odd.name })
    #expect(events.contains { $0["attribute.a\nb=\"c\""] as? String == "d\r\ne" })
  }

  @Test func aFileIsRotated() async throws {
    let folder = try Root.temporaryFolder()
    let process = try await aggregator(
      "file: {path: \"\(folder.path)/traces.json\", rotation: {max_megabytes: 1, max_backups: 2}}")
    for _ in 0..<6 { try await send(try Traces.good(bytes: 700_000), to: process) }
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 6)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count <= 3 && names.contains("traces.json"), "\(names)")
    for name in names {
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      #expect(text.hasSuffix("\n"))
      for line in text.split(separator: "\n") { #expect(try FileLine(String(line)).spans.count >= 1) }
    }
    try? FileManager.default.removeItem(at: folder)
  }

  /// Spans wait for a file that cannot be written, and are written when it can.
  @Test func aFileThatCannotBeWrittenYet() async throws {
    let folder = try Root.temporaryFolder()
    let path = folder.appending(path: "later/traces.json")
    let process = try await aggregator("file: {path: \"\(path.path)\"}")
    _ = try await process.logLine { $0.contains("cannot open the file") }
    try await send(try named("a"), to: process)
    let held = try await process.scrape(until: { $0["longspan_held_spans{stage=\"queue\"}"] == 1 }, "it waits")
    held.expectBalanced()
    try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
    #expect(try await process.scrapeAtRest().outcome("forwarded") == 1)
    #expect(try FileLine(String(contentsOf: path, encoding: .utf8)).spans.map(\.name) == ["a"])
    try? FileManager.default.removeItem(at: folder)
  }

  @Test(arguments: HTTPSink.Kind.allCases) func aReloadLeadsElsewhere(_ kind: HTTPSink.Kind) async throws {
    let (first, second) = (try await HTTPSink(kind), try await HTTPSink(kind))
    let process = try await aggregator("\(kind.exporter): \(first.section("headers: {x-a: one}"))")
    try await send(try named("a"), to: process)
    try await first.spans(atLeast: 1)
    let text = Self.text(["\(kind.exporter): \(second.section("headers: {x-a: two}"))"])
    try text.write(to: process.folder.appending(path: "aggregator.yaml"), atomically: true, encoding: .utf8)
    kill(process.pid, SIGHUP)
    _ = try await process.scrape(until: { $0["longspan_config_generation"] == 2 }, "the second generation")
    try await send(try named("b"), to: process)
    #expect(try await second.spans(atLeast: 1).map(\.name) == ["b"])
    #expect(try second.requests().map { $0.headers["x-a"] } == ["two"])
    #expect(try first.requests().map { $0.headers["x-a"] } == ["one"])
    #expect(try await process.scrapeAtRest().outcome("forwarded") == 2)
  }
}

/// A line of a file exporter's file, read by Foundation.
struct FileLine: Decodable {
  struct Span: Decodable {
    var spanId: String
    var name: String
  }
  private struct Resource: Decodable { var scopeSpans: [Scope] }
  private struct Scope: Decodable { var spans: [Span] }
  private var resourceSpans: [Resource]

  init(_ line: String) throws { self = try JSONDecoder().decode(FileLine.self, from: Data(line.utf8)) }

  var spans: [Span] { resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) } }
}
