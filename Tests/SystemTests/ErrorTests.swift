import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// What senders get wrong, and the exact answers of the contract. The process lives on, its account stays whole, and
/// a good request right after is taken.
@Suite(.fewAtOnce) struct ErrorTests {
  /// A request over HTTP and what it must come to.
  struct Bad {
    var name: String
    var method: String?
    var path = "/v1/traces"
    var type: String? = "application/x-protobuf"
    var encoding: String?
    var fields: [String] = []
    var body: Data
    var status: Int
    var code: Int
    /// Of `longspan_refused_requests_total`; `nil` where nothing is to be counted.
    var reason: String?
  }

  /// Messages that no parser of OTLP may take.
  static func malformed() throws -> [(name: String, body: Data)] {
    let good = try Traces.good()
    return [
      ("random bytes", Data([0xff, 0xfe, 0x03, 0x99, 0x00, 0x12])),
      ("message without its end", good.dropLast(3)),
      ("length past the end", Data([0x0a, 0x7f, 0x12, 0x00])),
      ("length of 2^63", Data([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00])),
      ("field number 0", Data([0x02, 0x00])),
      ("varint without end", Data([0x08] + Array(repeating: 0xff, count: 11))),
      ("group without end", Data([0x0b, 0x08, 0x01])),
      ("wire type 7", Data([0x0f, 0x00])),
      ("20000 nested values", try Traces.nested(20_000)),
    ]
  }

  private static func bodies() async throws -> [Bad] {
    let (good, limit) = (try Traces.good(), 1 << 20)
    let packed = try await Traces.gzip(try Traces.good(50))
    let zstd = Traces.zstd(good)
    var all = try malformed().map { Bad(name: $0.name, body: $0.body, status: 400, code: 3, reason: "malformed") }
    let damaged: [(String, String, Data)] = [
      ("truncated gzip", "gzip", packed.prefix(packed.count / 2)), ("gzip without trailer", "gzip", packed.dropLast(8)),
      ("gzip with a wrong sum", "gzip", packed.dropLast(8) + Data(repeating: 1, count: 8)),
      ("not gzip", "gzip", good), ("truncated zstd", "zstd", zstd.dropLast(5)), ("not zstd", "zstd", good),
      ("malformed in gzip", "gzip", try await Traces.gzip(Data([0x0a, 0x7f]))),
    ]
    all += damaged.map {
      Bad(name: $0.0, encoding: $0.1, body: $0.2, status: 400, code: 3, reason: "malformed")
    }
    let large: [(String, String?, [String], Data)] = [
      ("a byte past the limit", nil, [], try Traces.good(bytes: limit + 1)),
      ("past the limit in chunks", nil, ["transfer-encoding: chunked"], try Traces.good(bytes: limit + 1)),
      ("gzip bomb", "gzip", [], try await Traces.gzip(Data(count: limit * 16))),
      ("a byte past the limit in gzip", "gzip", [], try await Traces.gzip(try Traces.good(bytes: limit + 1))),
      ("zstd bomb", "zstd", [], Traces.zstdBomb(mebibytes: 100)),
      ("zstd longer than it says", "zstd", [], Traces.zstdBomb(mebibytes: 2, announced: 1000)),
      ("a block past the limit in zstd", "zstd", [], Traces.zstd(Data(count: limit + 1))),
    ]
    all += large.map {
      Bad(
        name: $0.0, encoding: $0.1, fields: $0.2 + ["expect:"], body: $0.3, status: 413, code: 8, reason: "too_large")
    }
    return all
  }

  private static func jsonBodies() -> [Bad] {
    let good = Traces.json()
    let bodies: [(String, Data)] = [
      ("JSON without its end", good.dropLast(4)), ("no JSON", Data("spans, please".utf8)),
      ("an array for a request", Data("[]".utf8)), ("JSON and more", good + Data("{}".utf8)), ("empty JSON", Data()),
      ("text for spans", Data(#"{"resourceSpans":[{"scopeSpans":[{"spans":"none"}]}]}"#.utf8)),
      ("a number out of range", Traces.json(#"{"key":"n","value":{"intValue":"99999999999999999999"}}"#)),
      ("no hex", Traces.json(traceID: "zz8efff798038103d269b633813fc60c")),
      ("20000 nested values in JSON", Traces.nestedJSON(20_000)),
      ("20000 nested unknown arrays", Data(#"{"x":"#.utf8) + Data(repeating: 0x5b, count: 20_000)),
    ]
    return bodies.map {
      Bad(name: $0.0, type: "application/json", body: $0.1, status: 400, code: 3, reason: "malformed")
    }
  }

  private static func heads() throws -> [Bad] {
    let good = try Traces.good()
    return [
      Bad(name: "GET", method: "GET", body: good, status: 405, code: 12),
      Bad(name: "PUT", method: "PUT", body: good, status: 405, code: 12),
      Bad(name: "another path", path: "/v1/metrics", body: good, status: 404, code: 12),
      Bad(name: "a longer path", path: "/v1/traces/", body: good, status: 404, code: 12),
      Bad(name: "the root", path: "/", type: "application/json", body: good, status: 404, code: 12),
      Bad(name: "text", type: "text/plain", body: good, status: 415, code: 3),
      Bad(name: "a form", type: "application/x-www-form-urlencoded", body: good, status: 415, code: 3),
      Bad(name: "no type", type: nil, body: good, status: 415, code: 3),
      Bad(name: "brotli", encoding: "br", body: good, status: 415, code: 3),
      Bad(name: "two codings", encoding: "gzip, gzip", body: good, status: 415, code: 3),
    ]
  }

  @Test(arguments: TestedRole.allCases, Curl.Version.allCases)
  func overHTTP(_ role: TestedRole, _ version: Curl.Version) async throws {
    let process = try await role.start("limits: {max_request_mib: 1}")
    let base = "http://" + (try await process.address("otlp_http"))
    var reasons: [String: Int] = [:]
    let all = try await Self.bodies() + Self.jsonBodies() + Self.heads()
    for bad in all {
      var fields = bad.fields + ["content-type:\(bad.type.map { " " + $0 } ?? "")"]
      if let encoding = bad.encoding { fields.append("content-encoding: \(encoding)") }
      if version == .http2 { fields.removeAll { $0.hasPrefix("transfer-encoding") } }
      let answer = try await Curl.send(base + bad.path, version, method: bad.method, fields: fields, body: bad.body)
      #expect(answer.exit == 0, "\(bad.name): \(answer)")
      #expect(answer.status == bad.status, "\(bad.name): \(answer)")
      let type = bad.type == "application/json" ? "application/json" : "application/x-protobuf"
      if bad.type == nil || bad.status == 415 && bad.encoding == nil {
        #expect(!answer.body.isEmpty, "\(bad.name)")
      } else {
        #expect(answer["content-type"] == type, "\(bad.name): \(answer)")
        let status =
          type == "application/json" ? RPCStatusBody(json: answer.body) : RPCStatusBody(protobuf: answer.body)
        #expect(status?.code == bad.code, "\(bad.name): \(answer)")
        #expect(status?.message.isEmpty == false, "\(bad.name)")
      }
      #expect(answer["retry-after"] == nil, "\(bad.name)")
      if bad.status == 405 { #expect(answer["allow"] == "POST", "\(bad.name)") }
      if let reason = bad.reason { reasons[reason, default: 0] += 1 }
      try await expectTaken(base, version, after: bad.name)
    }
    try await expectAccount(of: process, received: all.count, reasons: reasons)
  }

  /// Sends one good span.
  private func expectTaken(_ base: String, _ version: Curl.Version, after name: String) async throws {
    let answer = try await Curl.send(
      base + "/v1/traces", version, fields: ["content-type: application/x-protobuf"], body: try Traces.good())
    #expect(answer.status == 200, "after \(name): \(answer)")
    #expect(answer.body.isEmpty, "after \(name)")
  }

  /// Expects that the process lives, and that its account tells of so many good spans and of these refusals.
  private func expectAccount(of process: LongspanProcess, received: Int, reasons: [String: Int]) async throws {
    #expect(process.isRunning, "\(process.logText)")
    let scrape = try await process.scrape()
    #expect(scrape.received == Double(received))
    scrape.expectBalanced()
    for reason in ["malformed", "too_large", "overload", "unauthenticated", "forbidden"] {
      #expect(scrape.refused(reason) == Double(reasons[reason] ?? 0), "\(reason)")
    }
  }

  // MARK: What is good

  @Test(arguments: TestedRole.allCases, Curl.Version.allCases)
  func goodRequestsOfEveryKind(_ role: TestedRole, _ version: Curl.Version) async throws {
    let process = try await role.start("limits: {max_request_mib: 1}")
    let url = "http://\(try await process.address("otlp_http"))/v1/traces"
    let (protobuf, json) = ("content-type: application/x-protobuf", "content-type: application/json")
    let limit = 1 << 20
    let requests: [(name: String, fields: [String], body: Data, spans: Int)] = [
      ("empty", [protobuf], Data(), 0), ("empty JSON object", [json], Data("{}".utf8), 0),
      ("exactly the limit", [protobuf], try Traces.good(bytes: limit), 1),
      ("the limit in gzip", [protobuf, "content-encoding: gzip"], try await Traces.gzip(.init(count: 0)), 0),
      (
        "the limit in gzip", [protobuf, "content-encoding: gzip"],
        try await Traces.gzip(try Traces.good(bytes: limit)), 1
      ),
      ("zstd", [protobuf, "content-encoding: zstd"], Traces.zstd(try Traces.good(3)), 3),
      ("identity", [protobuf, "content-encoding: identity"], try Traces.good(2), 2),
      ("JSON in gzip", [json, "content-encoding: GZIP"], try await Traces.gzip(Traces.json()), 1),
      ("parameters", ["content-type: application/json; charset=utf-8"], Traces.json(), 1),
      ("unknown JSON fields", [json], Traces.json(#"{"key":"k","x":[{"y":null}],"value":{"boolValue":true}}"#), 1),
      ("as deep as allowed", [protobuf], try Traces.nested(40), 1),
      ("as deep as allowed in JSON", [json], Traces.nestedJSON(40), 1),
    ]
    for request in requests {
      let answer = try await Curl.send(url, version, fields: request.fields + ["expect:"], body: request.body)
      #expect(answer.status == 200, "\(request.name): \(answer)")
      #expect(answer.body == (request.fields[0].contains("json") ? Data("{}".utf8) : Data()), "\(request.name)")
    }
    try await expectAccount(of: process, received: requests.reduce(0) { $0 + $1.spans }, reasons: [:])
  }

  // MARK: gRPC

  struct BadCall {
    var name: String
    var path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    var fields: [String] = []
    var frame: Data?
    var code: Int
    var reason: String?
  }

  private static func calls() async throws -> [BadCall] {
    let (good, limit) = (try Traces.good(), 1 << 20)
    let packed = try await Traces.gzip(try Traces.good(50))
    let (gzip, zstd) = (["grpc-encoding: gzip"], ["grpc-encoding: zstd"])
    func squeezed(_ data: Data) -> Data { Curl.frame(data, compressed: true) }
    var all = try malformed().map {
      BadCall(name: $0.name, frame: Curl.frame($0.body), code: 3, reason: "malformed")
    }
    all += [
      BadCall(name: "half a message", frame: Curl.frame(good).dropLast(5), code: 3, reason: "malformed"),
      BadCall(name: "half a prefix", frame: Data([0, 0, 0]), code: 3, reason: "malformed"),
      BadCall(name: "no message", frame: Data(), code: 3, reason: "malformed"),
      BadCall(name: "two messages", frame: Curl.frame(good) + Curl.frame(good), code: 3, reason: "malformed"),
      BadCall(name: "unknown flag", frame: Data([2, 0, 0, 0, 0]), code: 3, reason: "malformed"),
      BadCall(name: "compressed without a coding", frame: squeezed(packed), code: 13, reason: "malformed"),
      BadCall(
        name: "truncated gzip", fields: gzip, frame: squeezed(packed.prefix(packed.count / 2)), code: 3,
        reason: "malformed"),
      BadCall(name: "not zstd", fields: zstd, frame: squeezed(good), code: 3, reason: "malformed"),
      BadCall(
        name: "gzip bomb", fields: gzip, frame: squeezed(try await Traces.gzip(Data(count: limit * 16))), code: 8,
        reason: "too_large"),
      BadCall(
        name: "zstd bomb", fields: zstd, frame: squeezed(Traces.zstdBomb(mebibytes: 100)), code: 8,
        reason: "too_large"),
      BadCall(name: "4 GiB announced", frame: Data([0, 0xff, 0xff, 0xff, 0xff, 1]), code: 8, reason: "too_large"),
      // Without a body: curl 7.88 may wait for ever where a 200 comes before it has sent all of one.
      BadCall(
        name: "unknown method", path: "/opentelemetry.proto.collector.trace.v1.TraceService/Import", frame: nil,
        code: 12),
      BadCall(name: "unknown service", path: "/grpc.health.v1.Health/Check", frame: nil, code: 12),
      BadCall(name: "unknown coding", fields: ["grpc-encoding: snappy"], frame: nil, code: 12),
    ]
    return all
  }

  @Test(arguments: TestedRole.allCases) func overGRPC(_ role: TestedRole) async throws {
    let process = try await role.start("limits: {max_request_mib: 1}")
    let address = try await process.address("otlp_grpc")
    var reasons: [String: Int] = [:]
    let all = try await Self.calls()
    for bad in all {
      let answer = try await Curl.gRPC(address, path: bad.path, fields: bad.fields, frame: bad.frame)
      #expect(answer.exit == 0, "\(bad.name): \(answer)")
      #expect(answer.status == 200, "\(bad.name): \(answer)")
      #expect(answer.gRPCStatus == bad.code, "\(bad.name): \(answer)")
      #expect(answer["grpc-message"]?.isEmpty == false, "\(bad.name)")
      #expect(answer["grpc-status-details-bin"] == nil, "\(bad.name): there is no RetryInfo")
      #expect(answer["content-type"]?.hasPrefix("application/grpc") == true, "\(bad.name)")
      if bad.name == "unknown coding" { #expect(answer["grpc-accept-encoding"]?.contains("gzip") == true) }
      if let reason = bad.reason { reasons[reason, default: 0] += 1 }
      let next = try await Curl.gRPC(address, frame: Curl.frame(try Traces.good()))
      #expect(next.gRPCStatus == 0, "after \(bad.name): \(next)")
    }
    for (name, fields, message) in [
      ("exactly the limit", [], try Traces.good(bytes: 1 << 20)), ("empty", [], Data()),
      ("identity", ["grpc-encoding: identity"], try Traces.good()),
    ] as [(String, [String], Data)] {
      let answer = try await Curl.gRPC(address, fields: fields, frame: Curl.frame(message))
      #expect(answer.gRPCStatus == 0, "\(name): \(answer)")
      #expect(answer.body == Data(count: 5), "\(name)")
    }
    let wrongType = try await Curl.send(
      "http://\(address)/opentelemetry.proto.collector.trace.v1.TraceService/Export", .http2,
      fields: ["content-type: application/json"], body: Data("{}".utf8))
    #expect(wrongType.status == 415)
    try await expectAccount(of: process, received: all.count + 2, reasons: reasons)
  }

  /// The same answers as gRPC's own library understands them.
  @Test(arguments: TestedRole.allCases) func grpcioUnderstands(_ role: TestedRole) async throws {
    let process = try await role.start("limits: {max_request_mib: 1}")
    let address = try await process.address("otlp_grpc")
    let malformed = try await Call.export(address, Data([0x0a, 0x7f]))
    #expect(malformed.code == "INVALID_ARGUMENT", "\(malformed)")
    #expect(malformed.details.contains("malformed"))
    let large = try await Call.export(address, try Traces.good(bytes: (1 << 20) + 1))
    #expect(large.code == "RESOURCE_EXHAUSTED", "\(large)")
    #expect(large.retry_delay == nil)
    let bomb = try await Call.export(address, Data(count: 1 << 24), "--gzip")
    #expect(bomb.code == "RESOURCE_EXHAUSTED", "\(bomb)")
    let unknown = try await Call.export(address, Data(), "--method", "/other.Service/Method")
    #expect(unknown.code == "UNIMPLEMENTED", "\(unknown)")
    let good = try await Call.export(address, try Traces.good(5), "--gzip")
    #expect(good.code == "OK", "\(good)")
    try await expectAccount(of: process, received: 5, reasons: ["malformed": 1, "too_large": 2])
  }

  // MARK: IDs

  /// Three good spans among seven whose IDs are none.
  private static func mixed() -> [Traces.Span] {
    var spans = (0..<10).map { Traces.span("span \($0)") }
    spans[1].traceID = Data(count: 16)
    spans[2].traceID = Traces.random(15)
    spans[3].traceID = Traces.random(17)
    spans[5].traceID = Data()
    spans[6].spanID = Data(count: 8)
    spans[7].spanID = Traces.random(7)
    spans[8].spanID = Data()
    return spans
  }

  @Test(arguments: TestedRole.allCases, Curl.Version.allCases)
  func wrongIDsAreRejectedAlone(_ role: TestedRole, _ version: Curl.Version) async throws {
    let sink = try Sink()
    let process = try await role.start(sink: sink)
    let url = "http://\(try await process.address("otlp_http"))/v1/traces"
    let request = Traces.request(Self.mixed())
    let answer = try await Curl.send(
      url, version, fields: ["content-type: application/x-protobuf"], body: try request.serializedBytes())
    #expect(answer.status == 200)
    let partial = try Traces.Response(serializedBytes: answer.body).partialSuccess
    #expect(partial.rejectedSpans == 7)
    #expect(partial.errorMessage.contains("7 spans"), "\(partial)")

    let call = try await Call.export(try await process.address("otlp_grpc"), try request.serializedBytes())
    #expect(call.code == "OK")
    #expect(call.rejected == 7)
    #expect(call.message.contains("7 spans"), "\(call)")

    let zero = Traces.json(traceID: String(repeating: "0", count: 32))
    let json = try await Curl.send(url, version, fields: ["content-type: application/json"], body: zero)
    #expect(json.status == 200)
    let object = try JSONSerialization.jsonObject(with: json.body) as? [String: [String: String]]
    #expect(object?["partialSuccess"]?["rejectedSpans"] == "1")
    #expect(object?["partialSuccess"]?["errorMessage"]?.isEmpty == false)
    let short = try await Curl.send(
      url, version, fields: ["content-type: application/json"], body: Traces.json(spanID: "eee19b7ec3c1b1"))
    #expect(String(decoding: short.body, as: UTF8.self).contains(#""rejectedSpans":"1""#))

    let arrived = Set(try await sink.spans(atLeast: 3).map(\.name))
    #expect(arrived == ["span 0", "span 4", "span 9"])
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.received == 22)
    #expect(scrape.outcome("rejected") == 16)
    #expect(scrape.sum("longspan_refused_requests_total") == 0)
    scrape.expectBalanced()
  }

  // MARK: Sizes as they are

  /// The default limit is 64 MiB, and 65 do not fit: not as they are, and not out of 65 KiB of gzip.
  @Test func sixtyFiveMebibytes() async throws {
    let process = try await TestedRole.relay.start()
    let (http, grpc) = (try await process.address("otlp_http"), try await process.address("otlp_grpc"))
    let large = Data(count: 65 << 20)
    let packed = try await Traces.gzip(large)
    let type = "content-type: application/x-protobuf"
    for version in Curl.Version.allCases {
      for fields in [[type], [type, "expect:"]] {
        let plain = try await Curl.send("http://\(http)/v1/traces", version, fields: fields, body: large)
        #expect(plain.status == 413, "\(plain)")
      }
      let gzip = try await Curl.send(
        "http://\(http)/v1/traces", version, fields: [type, "content-encoding: gzip"], body: packed)
      #expect(gzip.status == 413, "\(gzip)")
    }
    let call = try await Call.export(grpc, large)
    #expect(call.code == "RESOURCE_EXHAUSTED", "\(call)")
    let exact = try await Curl.send(
      "http://\(http)/v1/traces", fields: [type, "expect:"], body: try Traces.good(bytes: 64 << 20))
    #expect(exact.status == 200, "\(exact)")
    try await expectAccount(of: process, received: 1, reasons: ["too_large": 7])
  }
}

/// Either role, where a sender cannot tell them apart.
enum TestedRole: String, CaseIterable {
  case relay
  case aggregator

  /// Starts it towards a sink, or towards nobody.
  func start(_ more: String = "", sink: Sink? = nil) async throws -> LongspanProcess {
    switch self {
    case .relay:
      // grpcio cannot read the zstd that a relay sends by itself.
      try await Deployment.relay(
        "us-east-1", to: "127.0.0.1:\(sink?.port ?? 1)", exporter: "compression: none", more: more)
    case .aggregator: try await Deployment.aggregator(sink.map { [$0] } ?? [], more: more)
    }
  }
}
