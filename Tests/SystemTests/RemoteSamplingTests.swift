import Foundation
import Testing

/// Remote samplers are told the relay's own probability, and its next one.
@Suite(.fewAtOnce) struct RemoteSamplingTests {
  private func text(_ probability: Double) -> String {
    """
    region: us-east-1
    receivers:
      jaeger:
        protocols: {grpc: {endpoint: "127.0.0.1:0"}}
        remote_sampling: {http: {endpoint: "127.0.0.1:0"}, grpc: {endpoint: "127.0.0.1:0"}}
    sampling: {type: probabilistic, param: \(probability)}
    exporters: {otlp: {endpoint: "127.0.0.1:1", tls: {insecure: true}}}
    admin: {endpoint: "127.0.0.1:0"}
    """
  }

  private func taken(_ relay: LongspanProcess, _ kind: String, _ listener: String) async throws -> String {
    let run = try await Command.run(
      Root.formatsPython, ["-W", "ignore", Root.peer("sampler.py"), kind, try await relay.address(listener)])
    #expect(run.status == 0, "\(run.errors)")
    return run.lines.last ?? ""
  }

  /// Jaeger's Python client over HTTP, grpcio on both ports.
  @Test func samplersFollowTheRelay() async throws {
    let relay = try await LongspanProcess.start("relay", text(0.25))
    for (kind, listener) in [("http", "sampling_http"), ("grpc", "sampling_grpc"), ("grpc", "jaeger_grpc")] {
      #expect(try await taken(relay, kind, listener) == "0.25", "\(listener)")
    }
    try text(0.5).write(to: relay.folder.appending(path: "relay.yaml"), atomically: true, encoding: .utf8)
    kill(relay.pid, SIGHUP)
    _ = try await relay.scrape(until: { $0["longspan_config_generation"] == 2 }, "the second generation")
    #expect(try await taken(relay, "http", "sampling_http") == "0.5")
    #expect(await relay.end() == 0)
  }
}
