import Foundation
import TestKit
import Testing

/// SIGTERM and SIGINT: what was acknowledged arrives, what is in flight is answered, nothing new is taken.
@Suite(.fewAtOnce) struct DrainTests {
  @Test(arguments: TestedRole.allCases, [SIGTERM, SIGINT])
  func everyAcknowledgedSpanArrives(_ role: TestedRole, _ signal: Int32) async throws {
    let sink = try Sink()
    let aggregator = try await Deployment.aggregator([sink])
    let target =
      switch role {
      case .relay: try await Deployment.relay("us-east-1", to: try await aggregator.address("otlp_grpc"))
      case .aggregator: aggregator
      }
    let load = try await Load(target, senders: 6, "--until-failure", "--seed", "\(signal)")
    _ = try await target.scrape(until: { $0.received > 3000 }, "the load is under way")
    #expect(await target.end(signal) == 0, "\(target.logText)")
    let report = try await load.report()
    #expect(report.acknowledged.count > 3000)
    try await sink.expect(report.acknowledged)
    #expect(!target.logText.contains("lost"), "\(target.logText)")
    if role == .relay {
      let scrape = try await aggregator.scrapeAtRest()
      scrape.expectBalanced()
      #expect(await aggregator.end() == 0)
    }
  }

  @Test(arguments: TestedRole.allCases, ["half1", "half2"])
  func whatIsInFlightIsAnswered(_ role: TestedRole, _ what: String) async throws {
    let sink = try Sink()
    let process = try await role.start("shutdown_timeout: 60s", sink: sink)
    let address = try await process.address("otlp_http")
    let client = try WirePeer(address, [what], body: try Traces.good(3))
    try await client.said("half")
    kill(process.pid, SIGTERM)
    if what == "half2" { try await client.said("refusing") }
    // Nobody listens any more, while the one request is still waited for.
    var refused = false
    for _ in Attempts() {
      if refused { break }
      refused = try await Command.run("curl", ["-sS", "--max-time", "5", "http://\(address)/v1/traces"]).status == 7
    }
    #expect(refused, "new connections are still taken")
    #expect(process.isRunning)
    try client.go()
    #expect(await client.end().suffix(2) == ["status 200", "closed"])
    #expect(await process.exitStatus() == 0)
    #expect(try await sink.spans(atLeast: 3).count == 3)
  }

  /// One client that never ends its request costs the others nothing of what they were acknowledged.
  @Test(arguments: TestedRole.allCases) func whoeverNeverEndsIsLeft(_ role: TestedRole) async throws {
    let sink = try Sink()
    let process = try await role.start("shutdown_timeout: 3s", sink: sink)
    let client = try WirePeer(try await process.address("otlp_http"), ["half2"], body: try Traces.good())
    try await client.said("half")
    #expect(try await Call.export(try await process.address("otlp_grpc"), try Traces.good(5)).code == "OK")
    #expect(await process.end() == 0)
    #expect(try await sink.spans(atLeast: 5).count == 5)
    try client.go()
    #expect(await !client.end().contains("status 200"))
  }

  @Test(arguments: TestedRole.allCases) func whatIsLostIsSaid(_ role: TestedRole) async throws {
    let more = "shutdown_timeout: 1s"
    let process =
      switch role {
      case .relay: try await Deployment.relay("us-east-1", to: "127.0.0.1:1", more: more)
      case .aggregator:
        try await LongspanProcess.start(
          "aggregator",
          """
          receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
          exporters: {otlp/dead: {endpoint: "127.0.0.1:1", tls: {insecure: true}}}
          admin: {endpoint: "127.0.0.1:0"}
          \(more)
          """)
      }
    #expect(try await Call.export(try await process.address("otlp_grpc"), try Traces.good(7)).code == "OK")
    #expect(await process.end() == 0)
    let line = try await process.logLine { $0.contains("spans lost") }
    #expect(line.contains("spans=7"), "\(line)")
    let took = try await logTime(of: process, "stopped") - logTime(of: process, "draining")
    #expect(took >= 0.9 && took < 5, "shutdown_timeout is 1s, and it took \(took)")
  }

  /// When a process logged a word, in seconds.
  private func logTime(of process: LongspanProcess, _ word: String) async throws -> Double {
    let line = try await process.logLine { $0.contains(" " + word) }
    let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    return try Date(String(line.prefix { $0 != " " }), strategy: style).timeIntervalSince1970
  }

  /// Without an exporter stitching is the last stage: nothing is lost by ending.
  @Test func anAggregatorAloneLosesNothing() async throws {
    let process = try await Deployment.aggregator(idle: "60s")
    #expect(try await Call.export(try await process.address("otlp_grpc"), try Traces.good(7)).code == "OK")
    #expect(await process.end() == 0)
    #expect(!process.logText.contains("lost"), "\(process.logText)")
  }
}
