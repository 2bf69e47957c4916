import Foundation
import TestKit
import Testing

/// Credentials: who has none gets nowhere, at every receiver and at the admin endpoint.
@Suite(.fewAtOnce) struct AccessTests {
  private static let secrets = ["s3cret-token", "s3cret-file", "s3cret-word", "s3cret-admin", "s3cret-new"]

  private func text(_ file: String, tokens: String = "s3cret-token") -> String {
    """
    region: us-east-1
    receivers:
      otlp:
        protocols:
          grpc: {endpoint: "127.0.0.1:0", auth: {bearer_tokens: [\(tokens)]}}
          http: {endpoint: "127.0.0.1:0", auth: {bearer_token_file: \(file), basic: {username: us, password: s3cret-word}}}
      zipkin: {endpoint: "127.0.0.1:0", auth: {bearer_tokens: [s3cret-token]}}
      jaeger:
        protocols:
          grpc: {endpoint: "127.0.0.1:0", auth: {bearer_tokens: [s3cret-token]}}
          thrift_http: {endpoint: "127.0.0.1:0", auth: {bearer_tokens: [s3cret-token]}}
    exporters: {otlp: {endpoint: "127.0.0.1:1", tls: {insecure: true}}}
    admin: {endpoint: "127.0.0.1:0", auth: {bearer_tokens: [s3cret-admin]}}
    """
  }

  private func bearer(_ token: String) -> [String] { ["authorization: Bearer \(token)"] }

  private func metrics(_ relay: LongspanProcess, token: String = "s3cret-admin") async throws -> Scrape {
    let url = "http://\(try await relay.address("admin"))/metrics"
    let answer = try await Curl.send(url, fields: bearer(token))
    #expect(answer.status == 200)
    return Scrape(String(decoding: answer.body, as: UTF8.self))
  }

  /// Posts a span by HTTP; the status.
  private func post(
    _ relay: LongspanProcess, _ fields: [String], more: [String] = [], _ version: Curl.Version = .http1
  ) async throws -> Curl {
    let url = "http://\(try await relay.address("otlp_http"))/v1/traces"
    let type = ["content-type: application/x-protobuf"]
    return try await Curl.send(url, version, fields: type + fields, body: try Traces.good(), more: more)
  }

  private func expectNoSecret(_ text: String, location: SourceLocation = #_sourceLocation) {
    for secret in Self.secrets { #expect(!text.contains(secret), "\(secret)", sourceLocation: location) }
  }

  private func start() async throws -> (relay: LongspanProcess, file: URL) {
    let folder = try Root.temporaryFolder()
    let file = folder.appending(path: "tokens")
    try "s3cret-file\n".write(to: file, atomically: true, encoding: .utf8)
    return (try await LongspanProcess.start("relay", text(file.path)), file)
  }

  @Test func whoHasNoCredentialsIsTurnedAway() async throws {
    let (relay, file) = try await start()
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    var refused = 0.0
    for version in Curl.Version.allCases {
      for fields in [[], bearer("wrong"), bearer("s3cret-token")] {
        let answer = try await post(relay, fields, version)
        #expect(answer.status == 401)
        #expect(answer["www-authenticate"] == #"Bearer realm="longspan", Basic realm="longspan", charset="UTF-8""#)
        #expect(RPCStatusBody(protobuf: answer.body)?.code == 16)
        refused += 1
      }
      #expect(try await post(relay, bearer("s3cret-file"), version).status == 200)
      #expect(try await post(relay, [], more: ["-u", "us:s3cret-word"], version).status == 200)
    }
    let grpc = try await relay.address("otlp_grpc")
    for options in [[], ["--metadata", "authorization=Bearer wrong"]] {
      let run = try await Command.run(Root.python, [Root.peer("call.py"), grpc] + options, input: try Traces.good())
      let call = try JSONDecoder().decode(Call.self, from: run.output)
      #expect(call.code == "UNAUTHENTICATED")
      #expect(call.retry_delay == nil)
      refused += 1
    }
    let call = try await Call.export(
      grpc, try Traces.good(), "--metadata", "authorization=Bearer s3cret-token")
    #expect(call.code == "OK", "\(call.details)")
    for (listener, path) in [("zipkin", "/api/v2/spans"), ("jaeger_thrift_http", "/api/traces")] {
      let url = "http://\(try await relay.address(listener))\(path)"
      #expect(try await Curl.send(url, body: Data("[]".utf8)).status == 401)
      refused += 1
    }
    let jaeger = try await relay.address("jaeger_grpc")
    let path = "/jaeger.api_v2.CollectorService/PostSpans"
    #expect(try await Curl.gRPC(jaeger, path: path, frame: Curl.frame(Data())).gRPCStatus == 16)
    #expect(
      try await Curl.gRPC(jaeger, path: path, fields: bearer("s3cret-token"), frame: Curl.frame(Data())).gRPCStatus == 0
    )
    refused += 1

    let scrape = try await metrics(relay)
    #expect(scrape.refused("unauthenticated") == refused)
    #expect(scrape.received == 5, "what was not read is not counted")
    scrape.expectBalanced()
    #expect(relay.logText.contains("receivers.otlp.protocols.grpc.auth: credentials are sent in clear text"))
    expectNoSecret(relay.logText)
  }

  @Test func theAdminEndpointHasItsOwn() async throws {
    let (relay, file) = try await start()
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    let admin = "http://\(try await relay.address("admin"))"
    for path in ["/metrics", "/status"] {
      for fields in [[], bearer("s3cret-token")] {
        let answer = try await Curl.send(admin + path, fields: fields)
        #expect(answer.status == 401)
        #expect(answer["www-authenticate"] == #"Bearer realm="longspan""#)
      }
    }
    for path in ["/healthz", "/readyz"] { #expect(try await Curl.send(admin + path).status == 200) }
    let status = try await Curl.send(admin + "/status", fields: bearer("s3cret-admin"))
    #expect(status.status == 200)
    expectNoSecret(String(decoding: status.body, as: UTF8.self))
    let scrape = try await metrics(relay)
    #expect(scrape.refused("unauthenticated") == 0, "nobody sent spans")
  }

  /// Files are read again by SIGHUP; one that is no good changes nothing.
  @Test func credentialsChangeByAReload() async throws {
    let (relay, file) = try await start()
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    #expect(try await post(relay, bearer("s3cret-file")).status == 200)
    try "s3cret-new\n".write(to: file, atomically: true, encoding: .utf8)
    #expect(try await post(relay, bearer("s3cret-new")).status == 401)
    kill(relay.pid, SIGHUP)
    _ = try await relay.logLine { $0.contains("configuration reloaded") }
    #expect(try await post(relay, bearer("s3cret-new")).status == 200)
    #expect(try await post(relay, bearer("s3cret-file")).status == 401)

    try "s3cret-new x\n".write(to: file, atomically: true, encoding: .utf8)
    kill(relay.pid, SIGHUP)
    let line = try await relay.logLine { $0.contains("not reloaded") }
    #expect(line.contains("not a token of visible characters"))
    #expect(try await post(relay, bearer("s3cret-new")).status == 200)

    // Credentials in the configuration itself, and the admin endpoint's.
    try "s3cret-file\n".write(to: file, atomically: true, encoding: .utf8)
    let changed = text(file.path, tokens: "s3cret-new").replacing("s3cret-admin", with: "s3cret-new")
    try changed.write(to: relay.folder.appending(path: "relay.yaml"), atomically: true, encoding: .utf8)
    kill(relay.pid, SIGHUP)
    let admin = "http://\(try await relay.address("admin"))/metrics"
    var answer = try await Curl.send(admin, fields: bearer("s3cret-new"))
    for _ in Attempts() {
      if answer.status == 200 { break }
      answer = try await Curl.send(admin, fields: bearer("s3cret-new"))
    }
    #expect(answer.status == 200)
    #expect(try await Curl.send(admin, fields: bearer("s3cret-admin")).status == 401)
    let grpc = try await relay.address("otlp_grpc")
    let frame = Curl.frame(try Traces.good())
    #expect(try await Curl.gRPC(grpc, fields: bearer("s3cret-token"), frame: frame).gRPCStatus == 16)
    #expect(try await Curl.gRPC(grpc, fields: bearer("s3cret-new"), frame: frame).gRPCStatus == 0)
    expectNoSecret(relay.logText)
    #expect(await relay.end() == 0)
  }

  @Test func validationShowsNoSecret() async throws {
    let folder = try Root.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "relay.yaml")
    for tokens in ["s3cret-token", "'s3cret-token x'"] {
      try text("/nowhere", tokens: tokens).write(to: file, atomically: true, encoding: .utf8)
      let run = try await Command.run(
        LongspanProcess.binary.path, ["validate", "--role", "relay", "--config", file.path])
      #expect(run.status == (tokens.contains(" ") ? 78 : 0))
      expectNoSecret(run.text + run.errors)
    }
    // A file that is not there is found at the start.
    try text("/nowhere").write(to: file, atomically: true, encoding: .utf8)
    let relay = try LongspanProcess("relay", text("/nowhere"))
    #expect(await relay.exitStatus() == 69)
    expectNoSecret(relay.logText)
  }
}
