import Foundation
import Testing

/// The binary as a process: options, exit codes, log lines.
@Suite(.fewAtOnce) struct ProcessTests {
  private func longspan(_ arguments: String...) async throws -> Command.Result {
    try await Command.run(LongspanProcess.binary.path, arguments)
  }

  private func file(_ text: String) throws -> String {
    let path = try Root.temporaryFolder().appending(path: "longspan.yaml").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test func versionAndHelp() async throws {
    let version = try await longspan("--version")
    #expect(version.status == 0)
    #expect(version.text.contains("longspan"))
    let help = try await longspan("--help")
    #expect(help.status == 0)
    #expect(version.text.split(separator: "\n").count == 1)
    for command in ["relay", "aggregator", "validate", "demo"] { #expect(help.text.contains(command)) }
  }

  @Test func wrongUsageIs64() async throws {
    #expect(try await longspan().status == 64)
    #expect(try await longspan("relay").status == 64)
    #expect(try await longspan("relay", "--no-such-option").status == 64)
    #expect(try await longspan("no-such-command").status == 64)
    #expect(try await longspan("validate", "--role", "neither", "--config", "x").status == 64)
  }

  @Test func validateListsEveryError() async throws {
    let path = try file(
      """
      region: us-east-1
      sampling: {type: probabilistic, param: 1.5}
      routes:
        - {from: us-east-1, to: us-west-2, sampling: lots}
      exportres: {}
      """)
    let run = try await longspan("validate", "--role", "relay", "--config", path)
    #expect(run.status == 78)
    let said = run.text + run.errors
    for part in [
      "\(path):2", "sampling.param", "0 to 1", "\(path):4", "routes", "\(path):5", "exportres", "exporters",
    ] {
      #expect(said.contains(part), "\(part) is not in:\n\(said)")
    }
    #expect(try await longspan("relay", "--config", path).status == 78)
    #expect(try await longspan("relay", "--config", "/no/such/file").status == 78)
  }

  @Test func validateIsContentWithGoodFiles() async throws {
    let base = try file(Deployment.relayText("us-east-1", to: "localhost:4317"))
    let over = try file("region: ${env:LONGSPAN_NO_SUCH_VARIABLE:-eu-west-1}")
    let run = try await longspan("validate", "--role", "relay", "--config", base, "--config", over)
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func whatCannotBeBoundIs69() async throws {
    let aggregator = try await Deployment.aggregator()
    let taken = try await aggregator.address("otlp_grpc")
    let path = try file(
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "\(taken)"}}}}
      admin: {endpoint: "127.0.0.1:0"}
      """)
    let run = try await longspan("aggregator", "--config", path)
    #expect(run.status == 69, "\(run.errors)")
    #expect(run.errors.contains(taken))
    let admin = try file(
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
      admin: {endpoint: "\(taken)"}
      """)
    #expect(try await longspan("aggregator", "--config", admin).status == 69)
  }

  @Test(arguments: [SIGTERM, SIGINT]) func signalsDrain(_ signal: Int32) async throws {
    let aggregator = try await Deployment.aggregator()
    #expect(await aggregator.end(signal) == 0)
    let relay = try await Deployment.relay("us-east-1", to: "127.0.0.1:1")
    #expect(await relay.end(signal) == 0)
  }

  @Test func logLinesCanBeJSON() async throws {
    let aggregator = try await Deployment.aggregator(more: "log: {level: info, format: json}")
    let line = try await aggregator.logLine { $0.contains("ready") }
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect("\(object)".contains("ready"))
    #expect("\(object)".contains("127.0.0.1:"))
    #expect(await aggregator.end() == 0)
    let lines = aggregator.logText.split(separator: "\n")
    #expect(lines.count >= 3)
    for line in lines { #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any], "\(line)") }
  }

  @Test(arguments: ["text", "json"])
  func readyIsTheFirstLineWhateverTheLevel(_ format: String) async throws {
    let relay = try await Deployment.relay(
      "us-east-1", to: "127.0.0.1:1", more: "log: {level: error, format: \(format)}")
    #expect(relay.logText.split(separator: "\n").first?.contains("ready") == true)
    #expect(await relay.end() == 0)
  }

  @Test func adminEndpoint() async throws {
    let relay = try await Deployment.relay("us-east-1", to: "127.0.0.1:1")
    let base = "http://" + (try await relay.address("admin"))
    #expect(try await Command.run("curl", ["-sS", "--fail", base + "/healthz"]).status == 0)
    #expect(try await Command.run("curl", ["-sS", "--fail", base + "/readyz"]).status == 0)
    let status = try await Command.run("curl", ["-sS", "--fail", base + "/status"])
    #expect(try JSONSerialization.jsonObject(with: status.output) is [String: Any])
    #expect(status.text.contains(try await relay.address("otlp_http")))
    let plain = try await Command.run("curl", ["-sS", "-o", "/dev/null", "-w", "%{content_type}", base + "/metrics"])
    #expect(plain.text == "text/plain; version=0.0.4; charset=utf-8")
    let open = try await Command.run("curl", ["-sS", "-H", "accept: application/openmetrics-text", base + "/metrics"])
    #expect(open.text.hasSuffix("# EOF\n"))
    let unknown = try await Curl.send(base + "/no/such")
    #expect(unknown.status == 404)
  }
}
