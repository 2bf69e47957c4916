import Foundation
import TestKit
import Testing

/// Whatever peers call things: one event is one line of the log, a scrape can be read, and no secret is shown.
@Suite(.fewAtOnce) struct HostileNamesTests {
  private static let injection = "INJECTED\n2026-01-01T00:00:00.000Z ERROR INJECTED \u{1b}[31m\u{202e}\"\\"

  @Test(arguments: TestedRole.allCases, ["text", "json"]) func namesStayWhatTheyAre(
    _ role: TestedRole, _ format: String
  ) async throws {
    // The back end refuses the first request for good, in words of its own.
    let sink = try Sink(refusing: 1, "--code", "INVALID_ARGUMENT", "--reject", "1", "--message", Self.injection)
    let process = try await role.start(
      "limits: {max_request_mib: 1}\nlog: {level: trace, format: \(format)}", sink: sink)
    let run = try await Command.run(
      Root.python,
      [
        Root.peer("hostile_otlp.py"), "names", "--grpc", try await process.address("otlp_grpc"), "--http",
        try await process.address("otlp_http"), "--limit", "\(1 << 20)",
      ])
    #expect(run.status == 0, "\(run.errors)")
    for line in run.lines.dropLast() {
      let attack = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      #expect(attack?["got"] as? String == attack?["want"] as? String, "\(line)")
    }
    let scrape = try await process.scrapeAtRest()
    scrape.expectBalanced()
    #expect(scrape.outcome("undeliverable") > 0)

    let admin = "http://\(try await process.address("admin"))"
    for accept in ["text/plain", "application/openmetrics-text"] {
      let metrics = try await Curl.send(admin + "/metrics", fields: ["accept: \(accept)"])
      #expect(metrics.status == 200)
      #expect(String(validating: metrics.body, as: UTF8.self) != nil, "it is UTF-8")
      let lines = metrics.body.split(separator: 0x0a)
      #expect(!lines.contains { $0.starts(with: Data("INJECTED".utf8)) || $0.contains(0) })
      #expect(!lines.contains { $0.count > 2000 }, "a name is no longer than a label may be")
      guard accept == "text/plain" else { continue }
      let check = try await Command.run("promtool", ["check", "metrics"], input: metrics.body)
      #expect(check.status == 0 && check.errors == "", "\(check.errors)")
    }
    let status = try await Curl.send(admin + "/status")
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: status.body) }

    #expect(await process.end() == 0)
    let log = await process.wholeLog()
    try expectOneLineAnEvent(log, format)
  }

  private func expectOneLineAnEvent(_ log: String, _ format: String) throws {
    let lines = log.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.isEmpty }
    #expect(lines.contains { $0.contains("spans could not be delivered") })
    for line in lines {
      #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) || $0 == "\u{202e}" })
      #expect(line.utf8.count < 20_000)
      if format == "json" {
        let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(event?["message"] is String && event?["level"] is String && event?["time"] is String, "\(line)")
      } else {
        let words = line.split(separator: " ")
        #expect(words.first?.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(line)")
        #expect(
          ["TRACE", "DEBUG", "INFO", "NOTE", "WARN", "ERROR", "CRIT"].contains(words.dropFirst().first), "\(line)")
      }
    }
  }

  // MARK: Secrets

  @Test func noSecretIsShown() async throws {
    let secrets = ["t0k3n-of-a-header", "v4lue-of-the-environment", "k3y-material"]
    let authority = try await Authority()
    let certificate = try await authority.issue("DNS:localhost,IP:127.0.0.1")
    let configuration = """
      region: us-east-1
      receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0", tls: {cert_file: "\(certificate.certificate)", key_file: "\(certificate.key)"}}}}}
      processors: {resource: {attributes: [{key: token, value: "${env:PROBE}", action: upsert}]}}
      exporters: {otlp: {endpoint: "127.0.0.1:1", tls: {insecure: true}, headers: {authorization: "${env:TOKEN:-\(secrets[0])}"}}}
      admin: {endpoint: "127.0.0.1:0"}
      log: {level: trace}
      """.replacing("${env:PROBE}", with: "${env:PROBE:-\(secrets[1])}")
    let process = try await LongspanProcess.start("relay", configuration)
    _ = try await process.logLine { $0.contains("no connection") }
    // A reload that is refused is told in full.
    let broken = configuration + "\nrouts: []\nlimits: {max_connections: \"\(secrets[0])\"}\n"
    try broken.write(to: process.folder.appending(path: "relay.yaml"), atomically: true, encoding: .utf8)
    kill(process.pid, SIGHUP)
    _ = try await process.logLine { $0.contains("not reloaded") }
    let admin = "http://\(try await process.address("admin"))"
    var shown = ""
    for path in ["/status", "/metrics"] {
      shown += String(decoding: try await Curl.send(admin + path).body, as: UTF8.self)
    }
    #expect(shown.contains("***") && shown.contains(certificate.key), "paths are shown, values are not")
    let keyLine = try String(contentsOfFile: certificate.key, encoding: .utf8).split(separator: "\n")[1]
    for secret in secrets + [String(keyLine)] {
      #expect(!shown.contains(secret))
      if secret != secrets[0] { #expect(!process.logText.contains(secret)) }
    }
  }
}

/// The admin endpoint, as probes, scrapers and others ask it.
@Suite(.fewAtOnce) struct AdminTests {
  private static let pages = ["/metrics", "/healthz", "/readyz", "/status"]

  @Test(arguments: TestedRole.allCases) func methods(_ role: TestedRole) async throws {
    let process = try await role.start()
    let admin = "http://\(try await process.address("admin"))"
    for page in Self.pages {
      let get = try await Curl.send(admin + page)
      #expect(get.status == 200 && !get.body.isEmpty, "\(page)")
      let head = try await Curl.send(admin + page, more: ["-I"])
      #expect(head.status == 200, "\(page): \(head)")
      #expect(head["content-type"] == get["content-type"], "\(page)")
      if page.hasSuffix("z") { #expect(head["content-length"] == get["content-length"], "\(page)") }
      #expect(try await Curl.send(admin + page + "?a=b").status == 200, "\(page)")
      for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        let other = try await Curl.send(admin + page, method: method)
        #expect(other.status == 405, "\(method) \(page): \(other)")
        #expect(other["allow"] == "GET, HEAD", "\(method) \(page)")
      }
    }
    for path in ["/", "/metrics/", "/metricsx", "//metrics", "/debug/pprof", "/%6detrics", "/status/../metrics"] {
      #expect(try await Curl.send(admin + path, more: ["--path-as-is"]).status == 404, "\(path)")
      #expect(try await Curl.send(admin + path, method: "POST", more: ["--path-as-is"]).status == 404, "\(path)")
    }
    #expect(process.isRunning)
  }

  @Test func whatScrapersAccept() async throws {
    let process = try await TestedRole.aggregator.start()
    let metrics = "http://\(try await process.address("admin"))/metrics"
    let plain = "text/plain; version=0.0.4; charset=utf-8"
    let open = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    for (accept, expected) in [
      ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", open),
      ("application/openmetrics-text;q=0", plain),
      (",,,;;;===", plain), ("*/*;q=nan", plain), ("*/*;q=1e400,application/openmetrics-text;q=-1", plain),
      (String(repeating: "a/b;q=0.1,", count: 3000) + "application/openmetrics-text", open),
      (String(repeating: ",", count: 50_000), plain), (String(repeating: ";", count: 50_000), plain),
      ("application/openmetrics-text;version=99", plain), ("\u{fe}\u{ff}", plain), ("", plain),
    ] {
      let answer = try await Curl.send(metrics, fields: ["accept: \(accept)"])
      #expect(answer.status == 200, "\(accept.prefix(40)): \(answer.status)")
      #expect(answer["content-type"] == expected, "\(accept.prefix(40))")
    }
    let large = try await Curl.send(metrics, fields: ["accept: " + String(repeating: "x", count: 100_000)])
    #expect(large.status == 431 || large.status == 400, "\(large)")
    #expect(process.isRunning)
    #expect(try await Curl.send(metrics).status == 200)
  }

  /// That others can reach the admin endpoint is possible, and said before and at the start.
  @Test(arguments: ["0.0.0.0:0", "[::]:0", ":0"]) func anOpenAdminEndpointIsWarnedOf(_ endpoint: String) async throws {
    let folder = try Root.temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let configuration = """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
      admin: {endpoint: "\(endpoint)"}
      """
    let file = folder.appending(path: "a.yaml")
    try configuration.write(to: file, atomically: true, encoding: .utf8)
    let check = try await Command.run(
      LongspanProcess.binary.path, ["validate", "--role", "aggregator", "--config", file.path])
    #expect(check.status == 0)
    #expect(check.errors.contains("warning: ") && check.errors.contains("admin.endpoint"), "\(check.errors)")
    let process = try await LongspanProcess.start("aggregator", configuration)
    let line = try await process.logLine { $0.contains("admin.endpoint") }
    #expect(line.contains("WARN"))
    let port = try #require(try await process.address("admin").split(separator: ":").last)
    let host = endpoint.hasPrefix("[") ? "[::1]" : "127.0.0.1"
    #expect(try await Curl.send("http://\(host):\(port)/healthz").status == 200)
  }
}

extension LongspanProcess {
  /// Everything it ever logged, once it has ended.
  func wholeLog() async -> String {
    _ = try? await logLine { _ in false }
    return logText
  }
}
