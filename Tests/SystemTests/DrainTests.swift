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
  }

  /// Without an exporter stitching is the last stage: nothing is lost by ending.
  @Test func anAggregatorAloneLosesNothing() async throws {
    let process = try await Deployment.aggregator(idle: "60s")
    #expect(try await Call.export(try await process.address("otlp_grpc"), try Traces.good(7)).code == "OK")
    #expect(await process.end() == 0)
    #expect(!process.logText.contains("lost"), "\(process.logText)")
  }
}
