import FaultProxy
import Foundation
import Testing

/// Links that are long, narrow or broken, and then whole again: what was acknowledged arrives, and both ends account
/// for what they received.
@Suite(.fewAtOnce) struct FaultTests {
  /// A relay, a faulty link, and an aggregator with a back end.
  struct Deployed {
    let sink: Sink
    let aggregator: LongspanProcess
    let link: FaultProxy
    let relay: LongspanProcess

    init(
      _ conditions: LinkConditions = LinkConditions(), timeout: String = "500ms", more: String = ""
    ) async throws {
      sink = try Sink()
      aggregator = try await Deployment.aggregator([sink], idle: "2s")
      let target = try #require(SocketEndpoint(try await aggregator.address("otlp_grpc")))
      link = try await FaultProxy.start(to: target, conditions)
      relay = try await Deployment.relay(
        "us-east-1", to: "\(link.address)", exporter: "timeout: \(timeout)\n    compression: none", more: more)
    }

    /// Waits until the relay has delivered so many spans more.
    func delivers(_ count: Double, location: SourceLocation = #_sourceLocation) async throws {
      let before = try await relay.scrape().outcome("forwarded")
      _ = try await relay.scrape(
        until: { $0.outcome("forwarded") > before + count }, "the relay delivers", location: location)
    }

    /// Everything has left both ends; what they say then.
    func atRest() async throws -> (relay: Scrape, aggregator: Scrape) {
      let scrapes = (try await relay.scrapeAtRest(), try await aggregator.scrapeAtRest())
      scrapes.0.expectBalanced()
      scrapes.1.expectBalanced()
      for scrape in [scrapes.0, scrapes.1] {
        for outcome in ["undeliverable", "expired", "over_budget", "rejected"] { #expect(scrape.outcome(outcome) == 0) }
      }
      return scrapes
    }

    func end() async throws {
      #expect(await relay.end() == 0)
      #expect(await aggregator.end() == 0)
      try await link.stop()
    }
  }

  @Test(arguments: [
    Fault.reset, .blackHole, .halfOpen([.toServer, .toClient]), .halfOpen([.toServer]), .halfOpen([.toClient]),
    .closeAfter(bytes: 200_000),
  ]) func aBrokenLinkToTheAggregator(_ fault: Fault) async throws {
    let deployed = try await Deployed()
    let load = try await Load(deployed.relay, "--pause", "0.01")
    try await deployed.delivers(500)
    try await deployed.link.set(fault)
    let connections = try await deployed.link.counts.accepted
    _ = try await deployed.relay.scrape(
      until: { $0.sum("longspan_exporter_retries_total") >= 3 || $0.held >= 2000 }, "the fault is felt")
    if case .closeAfter = fault { try await deployed.delivers(1000) }
    try await deployed.link.set(.none)
    try await deployed.delivers(1000)
    // What a black hole held comes through when it ends, if that is soon enough.
    if fault != .blackHole {
      #expect(try await deployed.link.counts.accepted > connections, "no connection was given up")
    }
    try load.stop()
    let report = try await load.report()
    #expect(report.acknowledged.count == report.sent)
    // Where an answer was lost, its spans were sent again, perhaps when their traces were gone.
    try await deployed.sink.expect(report.acknowledged, onceEach: false)
    let (relay, aggregator) = try await deployed.atRest()
    #expect(relay.outcome("forwarded") == Double(report.acknowledged.count))
    #expect(aggregator.received - aggregator.outcome("duplicate") >= relay.outcome("forwarded"))
    try await deployed.end()
  }

  @Test func aLongNarrowLink() async throws {
    let link = LinkConditions(delay: .milliseconds(60), bytesPerSecond: 512 << 10)
    let deployed = try await Deployed(link, timeout: "30s")
    let load = try await Load(deployed.relay, "--requests", "25", "--padding", "200")
    let report = try await load.report()
    #expect(report.acknowledged.count == 2000)
    try await deployed.sink.expect(report.acknowledged)
    let (relay, aggregator) = try await deployed.atRest()
    #expect(relay.outcome("forwarded") == 2000)
    #expect(aggregator.received == 2000)
    try await deployed.end()
  }

  /// What is in flight is what the link holds, not a number of requests that would do for a short one.
  @Test func aLongWideLink() async throws {
    let deployed = try await Deployed(LinkConditions(delay: .milliseconds(2000)), timeout: "30s")
    let load = try await Load(deployed.relay, "--pause", "0.01")
    _ = try await deployed.relay.scrape(
      until: {
        let connections = $0.sum("longspan_exporter_connections")
        return connections > 0 && $0.sum("longspan_exporter_in_flight_requests") > 16 * connections
      }, "much is in flight")
    try load.stop()
    let acknowledged = try await load.report().acknowledged
    try await deployed.sink.expect(acknowledged)
    let (relay, aggregator) = try await deployed.atRest()
    #expect(relay.outcome("forwarded") == Double(acknowledged.count))
    #expect(aggregator.received == Double(acknowledged.count))
    #expect(relay.sum("longspan_exporter_retries_total") == 0)
    try await deployed.end()
  }

  /// Nobody says that the aggregator is gone while there is nothing to send; the request that finds out is not lost.
  @Test(arguments: [Fault.halfOpen([.toServer, .toClient]), .halfOpen([.toServer])])
  func connectionsThatDiedInSilence(_ fault: Fault) async throws {
    let deployed = try await Deployed()
    _ = try await deployed.aggregator.scrape(until: { $0["longspan_connections"] > 0 }, "the relay has connected")
    try await deployed.link.set(fault)
    try await deployed.link.set(.none)
    let sent = try await Load(deployed.relay, "--requests", "3").report().acknowledged
    #expect(sent.count == 240)
    try await deployed.sink.expect(sent)
    let (relay, aggregator) = try await deployed.atRest()
    #expect(relay.sum("longspan_exporter_retries_total") >= 1)
    #expect(relay.outcome("forwarded") == 240)
    #expect(aggregator.received == 240)
    try await deployed.end()
  }

  @Test func aBlackHoleHoldsUpNoDrain() async throws {
    let deployed = try await Deployed(more: "shutdown_timeout: 1s")
    try await deployed.link.set(.blackHole)
    #expect(try await Load(deployed.relay, "--requests", "1").report().acknowledged.count == 80)
    #expect(await deployed.relay.end() == 0)
    #expect(deployed.relay.logText.contains("80"), "\(deployed.relay.logText)")
    try await deployed.link.set(.none)
    let scrape = try await deployed.aggregator.scrapeAtRest()
    scrape.expectBalanced()
    try await deployed.link.stop()
  }

  @Test(arguments: [Fault.reset, .blackHole, .halfOpen([.toServer, .toClient]), .closeAfter(bytes: 20_000)])
  func aBrokenLinkToTheRelay(_ fault: Fault) async throws {
    let sink = try Sink()
    let aggregator = try await Deployment.aggregator([sink], idle: "2s")
    let relay = try await Deployment.relay("us-east-1", to: try await aggregator.address("otlp_grpc"))
    var links: [FaultProxy] = []
    for listener in ["otlp_grpc", "otlp_http"] {
      links.append(try await FaultProxy.start(to: try #require(SocketEndpoint(try await relay.address(listener)))))
    }
    let load = try Load(
      grpc: "\(links[0].address)", http: "\(links[1].address)", ["--insist", "--timeout", "0.5", "--pause", "0.01"])
    _ = try await relay.scrape(until: { $0.received > 500 }, "the load is under way")
    for link in links { try await link.set(fault) }
    for link in links {
      let before = try await link.counts.accepted
      while try await link.counts.accepted < before + 2 { _ = try await relay.scrape() }
      try await link.set(.none)
    }
    let received = try await relay.scrape().received
    _ = try await relay.scrape(until: { $0.received > received + 1000 }, "the relay takes on")
    try load.stop()
    let report = try await load.report()
    #expect(report.acknowledged.count == report.sent, "\(report.answers)")
    try await sink.expect(report.acknowledged, onceEach: false)
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == scrape.received)
    #expect(scrape.received >= Double(report.sent))
    scrape.expectBalanced()
    (try await aggregator.scrapeAtRest()).expectBalanced()
    #expect(await relay.end() == 0)
    #expect(await aggregator.end() == 0)
    for link in links { try await link.stop() }
  }
}
