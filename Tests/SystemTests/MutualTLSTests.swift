import Foundation
import Testing

/// Whom an aggregator lets in that demands certificates, and that nobody comes in by a session from before.
@Suite(.fewAtOnce) struct MutualTLSTests {
  /// A client's certificate and what must come of it.
  private struct Case: Sendable {
    var label: String
    var text: CertificateText?
    var isForeign = false
    /// What the client's log and `/status` say; nil: it is let in.
    var said: String?
  }

  private static let cases = [
    Case(label: "none", said: "certificate required: the peer demands a certificate"),
    Case(label: "plain", text: CertificateText(names: ["DNS:relay.example"])),
    Case(label: "nameless", text: CertificateText()),
    Case(label: "region", text: CertificateText(names: ["URI:spiffe://a/region/us-east-1"])),
    Case(
      label: "foreign", text: CertificateText(names: ["URI:spiffe://a/region/us-east-1"]), isForeign: true,
      said: "unknown CA: the peer does not trust"),
    Case(label: "expired", text: CertificateText(end: "20210101000000Z"), said: "certificate expired"),
    Case(label: "early", text: CertificateText(start: "20980101000000Z"), said: "bad certificate"),
    Case(label: "for-servers", text: CertificateText(usage: "serverAuth"), said: "unsupported certificate"),
    Case(
      label: "two-regions", text: CertificateText(names: ["URI:spiffe://a/region/x", "URI:spiffe://a/region/y"]),
      said: "handshake failure"),
    Case(
      label: "odd-region", text: CertificateText(names: ["URI:spiffe://a/region/us-east-1/x"]),
      said: "handshake failure"),
  ]

  @Test func clientsAreTakenAtTheirCertificates() async throws {
    let (authority, foreign) = (try await Authority(), try await Authority())
    let server = try await LongspanProcess.start(
      "aggregator",
      """
      receivers:
        otlp:
          protocols:
            grpc:
              endpoint: "127.0.0.1:0"
              tls: \(try await authority.issue("IP:127.0.0.1").receiver(clients: authority))
      admin: {endpoint: "127.0.0.1:0"}
      """)
    var exporters = ""
    for entry in Self.cases {
      var identity: Authority.Identity?
      if let text = entry.text { identity = try await (entry.isForeign ? foreign : authority).issue(text) }
      exporters += """
          otlp/\(entry.label):
            endpoint: "\(try await server.address("otlp_grpc"))"
            connections: 1
            retry_on_failure: {initial_interval: 10m, max_interval: 10m}
            tls: \(authority.exporter(identity))

        """
    }
    let clients = try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
      admin: {endpoint: "127.0.0.1:0"}
      exporters:
      \(exporters)
      """)
    let peers = try await clients.settledPeers()
    for entry in Self.cases {
      let peer = peers["otlp/\(entry.label)"]
      if entry.said != nil { _ = try await clients.logLine { $0.contains("exporter=otlp/\(entry.label) ") } }
      let lines = clients.logText.split(separator: "\n").filter { $0.contains("exporter=otlp/\(entry.label) ") }
      if let said = entry.said {
        #expect(peer?.connections == 0, "\(entry.label) was let in")
        #expect(peer?.last_error?.contains(said) == true, "\(entry.label): \(peer?.last_error ?? "nothing")")
        // A handshake that the client's side of has ended is no connection yet: nothing is told back and forth.
        #expect(lines.count == 1 && lines[0].contains(said), "\(entry.label): \(lines)")
      } else {
        #expect(peer?.connections ?? 0 > 0, "\(entry.label): \(peer?.last_error ?? "no connection")")
      }
    }
    let refused = Self.cases.count { $0.said != nil }
    let scrape = try await server.scrape()
    #expect(scrape["longspan_connections_closed_total{reason=\"tls_verification_failed\"}"] >= Double(refused))
    #expect(scrape.received == 0)
  }

  @Test func regionsHoldOverHTTPToo() async throws {
    let authority = try await Authority()
    let aggregator = try await LongspanProcess.start(
      "aggregator",
      """
      receivers:
        otlp:
          protocols:
            http:
              endpoint: "127.0.0.1:0"
              tls: \(try await authority.issue("IP:127.0.0.1").receiver(clients: authority))
      admin: {endpoint: "127.0.0.1:0"}
      """)
    let east = try await authority.issue(region: "us-east-1")
    let url = "https://\(try await aggregator.address("otlp_http"))/v1/traces"
    func post(_ message: Data, _ options: String...) async throws -> String {
      let run = try await Command.run(
        "curl",
        ["-sS", "--cacert", authority.certificate, "-H", "content-type: application/x-protobuf", "--data-binary", "@-"]
          + ["-o", "/dev/null", "-w", "%{http_code}", url] + options, input: message)
      return run.status == 0 ? run.text : "curl \(run.status)"
    }
    for version in ["--http1.1", "--http2"] {
      let shown = (certificate: east.certificate, key: east.key)
      func postAsEast(_ message: Data) async throws -> String {
        try await post(message, version, "--cert", shown.certificate, "--key", shown.key)
      }
      #expect(try await postAsEast(try Traces.good(2, region: "us-east-1")) == "200")
      #expect(try await postAsEast(try Traces.good(3, region: "eu-west-1")) == "403")
      // curl's words for a handshake that failed: 35 before its own end of it, 56 after.
      let stranger = try await post(try Traces.good(1), version)
      #expect(["curl 35", "curl 56", "curl 55", "curl 16"].contains(stranger), "\(stranger)")
    }
    let scrape = try await aggregator.scrape(until: { $0.outcome("forwarded") == 4 }, "what was let in is stitched")
    #expect(scrape.received == 10)
    #expect(scrape.outcome("rejected") == 6)
    #expect(scrape.refused("forbidden") == 2)
    scrape.expectBalanced()
  }
}
