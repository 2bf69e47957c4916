import Foundation
import Testing

/// SIGHUP: what can be taken over without a restart is, and files with errors change nothing.
@Suite(.fewAtOnce) struct ReloadTests {
  private func rewrite(_ process: LongspanProcess, _ role: String, _ text: String) throws {
    let file = process.folder.appending(path: "\(role).yaml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    kill(process.pid, SIGHUP)
  }

  /// A root span in JSON whose trace ID ends with these hex digits.
  private func span(_ number: Int, low: String) -> Data {
    let trace = String(repeating: "a", count: 18) + low
    let id = String(format: "%016x", number)
    return Data(
      """
      {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"\(trace)","spanId":"\(id)","name":"x"}]}]}]}
      """.utf8)
  }

  private func post(_ body: Data, to relay: LongspanProcess) async throws {
    let url = "http://\(try await relay.address("otlp_http"))/v1/traces"
    let run = try await Command.run(
      "curl", ["-sS", "--fail", "-H", "content-type: application/json", "--data-binary", "@-", url], input: body)
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func samplingChangesAndErrorsDoNot() async throws {
    let aggregator = try await Deployment.aggregator()
    let upstream = try await aggregator.address("otlp_grpc")
    let relay = try await Deployment.relay("us-east-1", to: upstream)
    let low = "00000000000000"
    try await post(span(1, low: low), to: relay)
    #expect(try await relay.scrape(until: { $0.outcome("forwarded") == 1 }, "kept at 1").outcome("sampled_out") == 0)

    // Nothing is kept any more below half, and the counters go on.
    let sampled = Deployment.relayText("us-east-1", to: upstream, more: "sampling: {type: probabilistic, param: 0.5}")
    try rewrite(relay, "relay", sampled)
    _ = try await relay.scrape(until: { $0["longspan_config_generation"] == 2 }, "the second generation")
    try await post(span(2, low: low), to: relay)
    let after = try await relay.scrape(until: { $0.outcome("sampled_out") == 1 }, "dropped at 0.5")
    #expect(after.outcome("forwarded") == 1)
    after.expectBalanced()

    // A file with an error is refused, counted and said.
    try rewrite(relay, "relay", sampled + "\nsampling: {param: 7}\nnonsense: true\n")
    let refused = try await relay.scrape(
      until: { $0["longspan_config_reload_failures_total"] == 1 }, "the refused reload")
    #expect(refused["longspan_config_generation"] == 2)
    _ = try await relay.logLine { $0.contains("not reloaded") }
    try await post(span(3, low: "ffffffffffffff"), to: relay)
    _ = try await relay.scrape(until: { $0.outcome("forwarded") == 2 }, "still serving")
    #expect(await relay.end() == 0)
  }

  @Test func whatNeedsARestartIsSaid() async throws {
    let aggregator = try await Deployment.aggregator()
    let text = try String(
      contentsOf: aggregator.folder.appending(path: "aggregator.yaml"), encoding: .utf8)
    try rewrite(aggregator, "aggregator", text + "\nflow: {max_regions: 5}\n")
    let line = try await aggregator.logLine { $0.contains("restart") }
    #expect(line.contains("flow"))
    #expect(try await aggregator.scrape()["longspan_config_generation"] == 2)
    // What is shown is what is in force.
    let status = try await Command.run("curl", ["-sS", "http://\(try await aggregator.address("admin"))/status"])
    #expect(status.text.contains("\"max_regions\" : 100"), "\(status.text)")
  }
}
