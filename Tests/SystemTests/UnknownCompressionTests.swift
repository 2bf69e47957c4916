import Foundation
import TestKit
import Testing

/// A relay straight in front of a server that does not know its compression.
@Suite(.fewAtOnce) struct UnknownCompressionTests {
  @Test func whatTheDestinationDoesNotKnowIsNotHeldAgainstTheSpans() async throws {
    let sink = try Sink()
    let relay = try await Deployment.relay("us-east-1", to: "127.0.0.1:\(sink.port)")
    let body = Data(
      """
      {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",
      "spanId":"eee19b7ec3c1b174","name":"hello"}]}]}]}
      """.utf8)
    let url = "http://\(try await relay.address("otlp_http"))/v1/traces"
    let run = try await Command.run(
      "curl", ["-sS", "--fail", "-H", "content-type: application/json", "--data-binary", "@-", url], input: body)
    #expect(run.status == 0, "\(run.errors)")
    #expect(try await sink.spans(atLeast: 1).map(\.name) == ["hello"])
    let scrape = try await relay.scrape(until: { $0.outcome("forwarded") == 1 }, "the span is forwarded")
    #expect(scrape.outcome("undeliverable") == 0)
    scrape.expectBalanced()
    _ = try await relay.logLine { $0.contains("does not know the compression") }
  }
}
