import Foundation
import TestKit
import Testing

/// Everything that can be wrong with a request, against the running binary (`hostile_otlp.py`): each attack gets the
/// contract's answer and is counted, memory stays flat, and a client beside it notices nothing.
@Suite(.fewAtOnce) struct HostileOTLPTests {
  /// What the sender says of one attack.
  private struct Attack: Decodable {
    var name: String
    var got: String
    var want: String
    var seconds: Double?
  }

  /// What the sender says in the end: what is to be counted, and the names of the spans that the client beside it sent.
  private struct Totals: Decodable {
    var malformed: Int
    var too_large: Int
    var overload: Int
    var received: Int
    var rejected: Int
    var names: [String]
  }

  private static let limit = 1 << 20
  /// A process at rest has about 45 MiB, and a request of the limit's size is held a few times over.
  private static let memoryMax = 160 << 20

  @Test(arguments: ["framing", "coding", "nesting", "bytes", "http1"]) func againstARelay(_ group: String) async throws
  {
    let sink = try Sink()
    let process = try await TestedRole.relay.start(
      "limits: {max_request_mib: 1, idle_timeout: 10m}\ncontext: {baggage: {enabled: true}}", sink: sink)
    try await attack(process, group, limit: Self.limit, memoryMax: Self.memoryMax, sink: sink)
  }

  @Test(arguments: ["framing", "bytes"]) func againstAnAggregator(_ group: String) async throws {
    let sink = try Sink()
    let process = try await TestedRole.aggregator.start("limits: {max_request_mib: 1, idle_timeout: 10m}", sink: sink)
    try await attack(process, group, limit: Self.limit, memoryMax: Self.memoryMax, sink: sink)
  }

  /// With the default limits: 64 MiB a request, and memory for held spans that the process is to stay within.
  @Test(arguments: TestedRole.allCases) func asLargeAsTheyCome(_ role: TestedRole) async throws {
    let process = try await role.start(
      "limits: {idle_timeout: 10m}\n" + (role == .relay ? "context: {baggage: {enabled: true}}" : ""))
    try await attack(process, "sizes", limit: 64 << 20, memoryMax: 563 << 20, sink: nil)
  }

  private func attack(
    _ process: LongspanProcess, _ group: String, limit: Int, memoryMax: Int, sink: Sink?
  ) async throws {
    let run = try await Command.run(
      Root.python,
      [
        Root.peer("hostile_otlp.py"), group, "--grpc", try await process.address("otlp_grpc"), "--http",
        try await process.address("otlp_http"), "--limit", "\(limit)",
      ])
    try #require(run.status == 0, "\(run.errors)\n\(run.text)\n\(process.logText)")
    let lines = run.lines.map { Data($0.utf8) }
    let attacks = try lines.dropLast().map { try JSONDecoder().decode(Attack.self, from: $0) }
    let totals = try JSONDecoder().decode(Totals.self, from: try #require(lines.last))
    #expect(!attacks.isEmpty)
    for attack in attacks {
      #expect(attack.got == attack.want, "\(attack.name): \(attack.got), not \(attack.want)")
    }
    #expect(process.isRunning)
    let peak = try process.peakMemory()
    #expect(peak < memoryMax, "\(peak >> 20) MiB")

    let scrape = try await process.scrape(
      until: { $0.received == $0.outcomes + $0.held && (sink == nil || $0.held == 0) }, "the account is whole")
    #expect(scrape.received == Double(totals.received))
    #expect(scrape.outcome("rejected") == Double(totals.rejected))
    #expect(scrape.refused("malformed") == Double(totals.malformed))
    #expect(scrape.refused("too_large") == Double(totals.too_large))
    #expect(scrape.refused("overload") == Double(totals.overload))
    #expect(scrape.outcome("undeliverable") + scrape.outcome("over_budget") + scrape.outcome("expired") == 0)
    guard let sink else { return }
    let spans = try sink.requests().flatMap { try RawSpans.read($0) }
    #expect(spans.count == Int(scrape.outcome("forwarded")))
    let names = try spans.map { String(decoding: try RawSpans.fields(5, of: $0).last ?? Data(), as: UTF8.self) }
    #expect(names.filter { $0.hasPrefix("bystander-") }.sorted() == totals.names.sorted())
  }
}
