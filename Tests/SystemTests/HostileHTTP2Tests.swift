import Foundation
import TestKit
import Testing

/// Clients that break the rules of HTTP/2, or keep to them and mean harm: each is counted by its name and refused as
/// RFC 9113 says, memory stays what it was, and those who do no harm notice nothing.
@Suite(.fewAtOnce) struct HostileHTTP2Tests {
  /// How much more memory the process may have after any of the attacks; a debug build's allocator keeps some.
  private static let growthMax = 64 << 20

  private static let refusals = "longspan_http2_refused_streams_total"
  private static let closed = "longspan_connections_closed_total"

  @Test(arguments: TestedRole.allCases) func attacksAreNamedAndRefused(_ role: TestedRole) async throws {
    let sink = try Sink()
    let process = try await role.start(sink: sink)
    let kind = role == .relay ? "grpc" : "http"
    let hostile = try HostilePeer(try await process.address("otlp_" + kind), kind: kind)
    let load = try await Load(process, senders: 2, "--spans", "10", "--pause", "0.02")
    var before = try await process.scrape(until: { $0.received > 0 }, "the load has begun")
    let memory = try process.residentMemory()
    let all = HostileAttack.floods + HostileAttack.faults + HostileAttack.refusals + HostileAttack.borne
    for attack in all {
      let seen = try await hostile.attack(attack.name)
      before = try await expect(attack, seen, of: process, since: before)
      let grown = try process.residentMemory() - memory
      #expect(grown < Self.growthMax, "\(attack.name): \(grown >> 10) KiB more")
      #expect(process.isRunning, "\(attack.name)")
    }
    try load.stop()
    let report = try await load.report()
    #expect(Set(report.answers.keys) == ["OK", "200"], "\(report.answers)")
    #expect(report.acknowledged.count == report.sent)
    try await sink.expect(report.acknowledged)
    let scrape = try await process.scrapeAtRest()
    #expect(scrape.received == Double(report.sent))
    scrape.expectBalanced()
    #expect(await process.end() == 0)
  }

  /// These take the ten seconds that peers have.
  @Test func slowPeersAreLeft() async throws {
    let process = try await TestedRole.relay.start()
    let address = try await process.address("otlp_grpc")
    let (first, second) = (try HostilePeer(address, kind: "grpc"), try HostilePeer(address, kind: "grpc"))
    async let preface = first.attack("slow_preface")
    async let headers = second.attack("slow_headers")
    let seen = (try await preface, try await headers)
    #expect(seen.0.error == nil && seen.0.closed == true, "\(seen)")
    #expect(seen.1.error == nil && seen.1.closed == true, "\(seen)")
    let scrape = try await process.scrape()
    #expect(scrape.samples(Self.closed) == ["reason=preface_timeout": 1, "reason=header_timeout": 1])
  }

  /// Looks at what came of an attack; the metrics after it.
  private func expect(
    _ attack: HostileAttack, _ seen: HostilePeer.Seen, of process: LongspanProcess, since before: Scrape
  ) async throws -> Scrape {
    let what: Comment = "\(attack.name): \(String(describing: seen))"
    #expect(seen.error == nil, what)
    switch attack.result {
    case .connection(let reason, let goAway):
      let after = try await growth(of: Self.closed, reason, in: process, since: before, attack)
      // What was not read cannot be known.
      if seen.closed == true { #expect(seen.goaway == goAway, what) } else { #expect(attack.name.hasSuffix("unread")) }
      return after
    case .request(let reason, let reset, let status):
      let after = try await growth(of: Self.refusals, reason, in: process, since: before, attack)
      if let reset { #expect(seen.reset == ["\(reset)": 1], what) } else { #expect(seen.reset == [:], what) }
      if let status { #expect(seen.status?["\(status)"] == 1, what) }
      #expect(seen.status?["200"] ?? 0 > 0, what)
      #expect(seen.closed == false && seen.goaway == nil, what)
      #expect(after.sum(Self.closed) == before.sum(Self.closed), what)
      return after
    case .borne:
      #expect(seen.status?["200"] == 1 && seen.closed == false && seen.goaway == nil, what)
      let after = try await process.scrape()
      #expect(after.sum(Self.closed) == before.sum(Self.closed), what)
      #expect(after.sum(Self.refusals) == before.sum(Self.refusals), what)
      return after
    case .held:
      #expect(seen.closed == false, what)
      return try await process.scrape()
    }
  }

  /// Waits until a reason's count has grown by one and expects that no other's did.
  private func growth(
    of metric: String, _ reason: String, in process: LongspanProcess, since before: Scrape, _ attack: HostileAttack
  ) async throws -> Scrape {
    let after = try await process.scrape(
      until: { $0.sum(metric) > before.sum(metric) }, "\(attack.name) is counted in \(metric)")
    let grown = after.samples(metric).filter { $0.value > before.samples(metric)[$0.key] ?? 0 }
    #expect(grown.keys.sorted() == ["reason=\(reason)"], "\(attack.name)")
    return after
  }
}
