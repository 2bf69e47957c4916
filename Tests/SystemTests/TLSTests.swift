import Foundation
import SwiftProtobuf
import TestKit
import Testing

/// TLS between relay and aggregator: who trusts whom, and that spans wait for the right one.
@Suite(.fewAtOnce) struct TLSTests {
  /// An aggregator that speaks TLS on this port.
  private func aggregator(
    port: Int = 0, _ identity: Authority.Identity, clients: Authority? = nil, to sink: Sink? = nil
  ) async throws -> LongspanProcess {
    let tls = identity.receiver(clients: clients)
    let exporter =
      sink.map { "exporters: {otlp: {endpoint: \"127.0.0.1:\($0.port)\", compression: none, tls: {insecure: true}}}" }
    return try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:\(port)", tls: \(tls)}}}}
      stitching: {idle_timeout: 1s}
      \(exporter ?? "")
      admin: {endpoint: "127.0.0.1:0"}
      """)
  }

  /// What a relay may face in place of its aggregator.
  enum Impostor: String, CaseIterable {
    case wrongName
    case unknownAuthority
    case clearText
    case nobody
  }

  @Test(arguments: Impostor.allCases) func spansWaitForTheRightAggregator(_ impostor: Impostor) async throws {
    let (authority, other) = (try await Authority(), try await Authority())
    let (sink, port) = (try Sink(), try FreePort.pick())
    let wrong: LongspanProcess? =
      switch impostor {
      case .wrongName: try await aggregator(port: port, try await authority.issue("DNS:elsewhere.example"))
      case .unknownAuthority: try await aggregator(port: port, try await other.issue("DNS:localhost"))
      case .clearText:
        try await LongspanProcess.start(
          "aggregator",
          """
          receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:\(port)"}}}}
          admin: {endpoint: "127.0.0.1:0"}
          """)
      case .nobody: nil
      }
    let relay = try await Deployment.relay(
      "us-east-1", to: "localhost:\(port)", tls: authority.exporter(), more: "")
    let load = try await Load(relay, "--requests", "10")
    let report = try await load.report()
    #expect(report.acknowledged.count == 800)
    let failure = try await relay.logLine { $0.contains("no connection; spans are held") }
    let word: [Impostor: String] = [
      .wrongName: "hostname mismatch", .unknownAuthority: "certificate", .clearText: "closed", .nobody: "connect",
    ]
    #expect(failure.contains(word[impostor] ?? "?"), "\(failure)")
    let held = try await relay.scrape()
    #expect(held.held == 800)
    #expect(held.outcome("forwarded") == 0)
    held.expectBalanced()
    if let wrong {
      #expect(try await wrong.scrape().received == 0)
      #expect(await wrong.end() == 0)
    }

    let right = try await aggregator(port: port, try await authority.issue("DNS:localhost"), to: sink)
    try await sink.expect(report.acknowledged)
    let scrape = try await relay.scrapeAtRest()
    #expect(scrape.outcome("forwarded") == 800)
    scrape.expectBalanced()
    let account = try await right.scrape(until: { $0.outcome("forwarded") == 800 }, "all are handed on")
    account.expectBalanced()
    #expect(await relay.end() == 0)
    #expect(await right.end() == 0)
  }

  @Test func strangersAreRefused() async throws {
    let (servers, clients, foreign) = (try await Authority(), try await Authority(), try await Authority())
    let sink = try Sink()
    let aggregator = try await aggregator(
      try await servers.issue("DNS:localhost"), clients: clients, to: sink)
    let address = try await aggregator.address("otlp_grpc").replacing("127.0.0.1", with: "localhost")
    let message = try Traces.good(3, region: "us-east-1")

    let nobody = try await Call.export(address, message, "--ca", servers.certificate)
    #expect(nobody.code == "UNAVAILABLE", "\(nobody)")
    let stranger = try await foreign.issue(region: "us-east-1")
    let unknown = try await Call.export(
      address, message, "--ca", servers.certificate, "--cert", stranger.certificate, "--key", stranger.key)
    #expect(unknown.code == "UNAVAILABLE", "\(unknown)")
    #expect(try await aggregator.scrape().received == 0)

    // Relays without a certificate, or with one that another authority signed, hold what they have.
    for tls in [servers.exporter(), servers.exporter(stranger)] {
      let relay = try await Deployment.relay("us-east-1", to: address, tls: tls, more: "shutdown_timeout: 1s")
      let load = try await Load(relay, senders: 2, "--requests", "3")
      #expect(try await load.report().acknowledged.count == 120)
      _ = try await relay.logLine { $0.contains("no connection; spans are held") }
      let scrape = try await relay.scrape()
      #expect(scrape.held == 120)
      scrape.expectBalanced()
    }
    #expect(try await aggregator.scrape().received == 0)
    #expect(try sink.spans().isEmpty)

    let known = try await clients.issue("DNS:relay.example")
    let welcome = try await Call.export(
      address, message, "--ca", servers.certificate, "--cert", known.certificate, "--key", known.key)
    #expect(welcome.code == "OK", "\(welcome)")
    #expect(try await sink.spans(atLeast: 3).count == 3)
  }

  @Test func certificatesSpeakForTheirRegion() async throws {
    let authority = try await Authority()
    let sink = try Sink()
    let aggregator = try await aggregator(
      try await authority.issue("DNS:localhost"), clients: authority, to: sink)
    let address = try await aggregator.address("otlp_grpc").replacing("127.0.0.1", with: "localhost")
    let east = try await authority.issue(region: "us-east-1")
    func send(_ message: Data, as identity: Authority.Identity) async throws -> Call {
      try await Call.export(
        address, message, "--ca", authority.certificate, "--cert", identity.certificate, "--key", identity.key)
    }
    let own = try await send(try Traces.good(2, region: "us-east-1"), as: east)
    #expect(own.code == "OK", "\(own)")
    let silent = try await send(try Traces.good(1), as: east)
    #expect(silent.code == "OK", "\(silent)")
    let others = try await send(try Traces.good(5, region: "eu-west-1"), as: east)
    #expect(others.code == "PERMISSION_DENIED", "\(others)")
    var both = Traces.request([Traces.span()], region: "us-east-1")
    both.resourceSpans += Traces.request([Traces.span()], region: "eu-west-1").resourceSpans
    let mixed = try await send(try both.serializedBytes(), as: east)
    #expect(mixed.code == "PERMISSION_DENIED", "\(mixed)")
    // A certificate that names two regions means neither.
    let two = try await authority.issue("URI:spiffe://a/region/us-east-1", "URI:spiffe://a/region/eu-west-1")
    #expect(try await send(try Traces.good(1, region: "us-east-1"), as: two).code == "UNAVAILABLE")

    #expect(try await sink.spans(atLeast: 3).count == 3)
    let scrape = try await aggregator.scrape(until: { $0.outcome("forwarded") == 3 }, "the three are handed on")
    #expect(scrape.received == 10)
    #expect(scrape.outcome("rejected") == 7)
    #expect(scrape.refused("forbidden") == 2)
    scrape.expectBalanced()

    // A relay of another region with that certificate: what it sends is refused for good, and counted.
    let relay = try await Deployment.relay("eu-west-1", to: address, tls: authority.exporter(east))
    let answer = try await Call.export(try await relay.address("otlp_grpc"), try Traces.good(4))
    #expect(answer.code == "OK")
    let lost = try await relay.scrape(until: { $0.outcome("undeliverable") == 4 }, "refused for good")
    lost.expectBalanced()
    #expect(lost.sum("longspan_exporter_requests_total", "code=\"PERMISSION_DENIED\"") == 1)
    #expect(try await aggregator.scrape().refused("forbidden") == 3)
    // And one of the right region is welcome.
    let right = try await Deployment.relay("us-east-1", to: address, tls: authority.exporter(east))
    #expect(try await Call.export(try await right.address("otlp_grpc"), try Traces.good(4)).code == "OK")
    #expect(try await sink.spans(atLeast: 7).count == 7)
  }

  @Test func newestVersionByDefault() async throws {
    let authority = try await Authority()
    let aggregator = try await aggregator(try await authority.issue("DNS:localhost", "IP:127.0.0.1"))
    let address = try await aggregator.address("otlp_grpc")
    let client = try await Command.run(
      "openssl", ["s_client", "-connect", address, "-alpn", "h2", "-CAfile", authority.certificate, "-brief"],
      input: Data())
    #expect(client.errors.contains("TLSv1.3"), "\(client.errors)")
    #expect(client.errors.contains("Verification: OK"), "\(client.errors)")

    // A relay does not talk to a server that has nothing newer than 1.2, unless it is told to.
    let port = try FreePort.pick()
    let identity = try await authority.issue("IP:127.0.0.1")
    let silence = Pipe()
    let old = try ChildProcess(
      "openssl",
      [
        "s_server", "-accept", "127.0.0.1:\(port)", "-tls1_2", "-alpn", "h2", "-quiet", "-cert", identity.certificate,
        "-key", identity.key,
      ], input: silence.fileHandleForReading)
    defer { old.signal(SIGKILL) }
    let relay = try await Deployment.relay("us-east-1", to: "127.0.0.1:\(port)", tls: authority.exporter())
    let line = try await relay.logLine { $0.contains("no connection; spans are held") && $0.contains("TLS") }
    #expect(line.contains("version") || line.contains("protocol"), "\(line)")
  }

  @Test func nameIsTheOneThatIsConfigured() async throws {
    let authority = try await Authority()
    let sink = try Sink()
    let aggregator = try await aggregator(try await authority.issue("DNS:aggregator.example"), to: sink)
    let address = try await aggregator.address("otlp_grpc")
    let relay = try await Deployment.relay(
      "us-east-1", to: address, tls: authority.exporter(name: "aggregator.example"))
    #expect(try await Call.export(try await relay.address("otlp_grpc"), try Traces.good(2)).code == "OK")
    #expect(try await sink.spans(atLeast: 2).count == 2)
  }

  @Test func expiryIsPublished() async throws {
    let authority = try await Authority()
    let soon = try await authority.issue("DNS:localhost", days: 1)
    let later = try await authority.issue("DNS:localhost", days: 30)
    let aggregator = try await aggregator(later, clients: authority)
    let relay = try await Deployment.relay(
      "us-east-1", to: try await aggregator.address("otlp_grpc"), tls: authority.exporter(soon))
    for (process, identity) in [(aggregator, later), (relay, soon)] {
      let end = try await Command.run(
        "openssl", ["x509", "-in", identity.certificate, "-noout", "-enddate", "-dateopt", "iso_8601"])
      let text = end.text.trimmingCharacters(in: .whitespacesAndNewlines).replacing("notAfter=", with: "")
      let date = try Date(text.replacing(" ", with: "T"), strategy: .iso8601)
      let scrape = try await process.scrape()
      #expect(scrape["longspan_tls_certificate_expiry_seconds"] == date.timeIntervalSince1970)
    }
  }

  @Test func filesThatCannotBeUsedAre69() async throws {
    let (authority, other) = (try await Authority(), try await Authority())
    let (one, two) = (try await authority.issue("DNS:localhost"), try await other.issue("DNS:localhost"))
    let bad: [(tls: String, said: String)] = [
      ("{cert_file: /no/such.pem, key_file: \"\(one.key)\"}", "/no/such.pem"),
      ("{cert_file: \"\(one.certificate)\", key_file: /no/such.key}", "/no/such.key"),
      ("{cert_file: \"\(one.certificate)\", key_file: \"\(two.key)\"}", two.key),
      ("{cert_file: \"\(one.key)\", key_file: \"\(one.key)\"}", one.key),
      (one.receiver().replacing("}", with: ", client_ca_file: /no/such.ca}"), "/no/such.ca"),
    ]
    for (tls, said) in bad {
      let process = try LongspanProcess(
        "aggregator",
        """
        receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0", tls: \(tls)}}}}
        admin: {endpoint: "127.0.0.1:0"}
        """)
      #expect(await process.exitStatus() == 69)
      let line = try await process.logLine { $0.contains("cannot start") }
      #expect(line.contains("otlp_grpc") && line.contains(said), "\(line)")
    }
    let relay = try LongspanProcess(
      "relay", Deployment.relayText("us-east-1", to: "localhost:1", tls: "{ca_file: /no/such.ca}"))
    #expect(await relay.exitStatus() == 69)
    let line = try await relay.logLine { $0.contains("cannot start") }
    #expect(line.contains("exporter otlp") && line.contains("/no/such.ca"), "\(line)")
  }
}
