import Foundation
import Testing

/// Whom an exporter takes for its destination: one process with an exporter for each server, every server with another
/// certificate. Relay and aggregator export with the same code; the aggregator may have many.
@Suite(.fewAtOnce) struct NameMatrixTests {
  /// A server and what must come of it.
  struct Case: Sendable {
    var label: String
    var text = CertificateText()
    /// `server_name_override`; nil: the endpoint's 127.0.0.1 is what the certificate must be for.
    var name: String? = "collector.example.com"
    var issuer = Issuer.ours
    /// What the log and `/status` say; nil: a connection.
    var said: String?
  }

  enum Issuer: Sendable {
    case ours
    case foreign
    case itself
    case aLeaf
  }

  private static func named(
    _ label: String, _ names: [String], as name: String? = "collector.example.com", said: String? = nil
  ) -> Case {
    Case(label: label, text: CertificateText(names: names), name: name, said: said)
  }

  private static let noHost = "hostname mismatch: no alternative name in it is"
  private static let noNames = "it has no alternative names, and its common name does not count"
  private static let right = ["DNS:collector.example.com"]

  private static let names: [Case] = [
    named("right", right),
    named("one-of-many", ["DNS:a.example.com", "IP:192.0.2.1", "URI:spiffe://a/b"] + right),
    named("other", ["DNS:other.example.com"], said: "\(noHost) collector.example.com"),
    named("uppercase-certificate", ["DNS:COLLECTOR.Example.COM"]),
    named("uppercase-name", right, as: "Collector.EXAMPLE.com"),
    named("trailing-dot-name", right, as: "collector.example.com."),
    named("trailing-dot-certificate", ["DNS:collector.example.com."], said: noHost),
    named("wildcard", ["DNS:*.example.com"]),
    named("wildcard-two-levels", ["DNS:*.example.com"], as: "a.collector.example.com", said: noHost),
    named("wildcard-own-level", ["DNS:*.example.com"], as: "example.com", said: noHost),
    named("wildcard-twice", ["DNS:*.*.com"], said: noHost),
    named("wildcard-top", ["DNS:*.com"], as: "example.com", said: noHost),
    named("wildcard-inside", ["DNS:collector.*.com"], said: noHost),
    named("partial-left", ["DNS:*lector.example.com"], said: noHost),
    named("partial-right", ["DNS:coll*.example.com"], said: noHost),
    named("idn", ["DNS:xn--bcher-kva.example"], as: "xn--bcher-kva.example"),
    named("idn-wildcard", ["DNS:*.example.com"], as: "xn--bcher-kva.example.com"),
    named("idn-partial", ["DNS:xn--*.example.com"], as: "xn--bcher-kva.example.com", said: noHost),
    named("url", ["URI:https://collector.example.com"], said: noHost),
    named("mail", ["email:collector.example.com@example.com"], said: noHost),
    Case(label: "cn-only", text: CertificateText(subject: "/CN=collector.example.com"), said: noNames),
    Case(
      label: "cn-beside-names",
      text: CertificateText(subject: "/CN=collector.example.com", names: ["DNS:other.example.com"]), said: noHost),
    Case(
      label: "no-names-in-extension",
      text: CertificateText(subject: "/CN=collector.example.com", rawNames: "DER:3000"), said: noHost),
    named("address", ["IP:127.0.0.1"], as: nil),
    named("address-other", ["IP:127.0.0.2"], as: nil, said: "no IP address among its alternative names is 127.0.0.1"),
    named("address-as-name", ["DNS:127.0.0.1"], as: nil, said: "IP address mismatch"),
    named("address-for-name", ["IP:127.0.0.1"], as: "localhost", said: "\(noHost) localhost"),
    named("name-for-address", ["DNS:localhost"], as: nil, said: "IP address mismatch"),
    Case(label: "address-in-cn", text: CertificateText(subject: "/CN=127.0.0.1"), name: nil, said: noNames),
  ]

  private static let certificates: [Case] = [
    Case(
      label: "expired", text: CertificateText(names: right, end: "20210101000000Z"), said: "certificate has expired"),
    Case(
      label: "early", text: CertificateText(names: right, start: "20980101000000Z"),
      said: "certificate is not yet valid"),
    Case(
      label: "for-clients", text: CertificateText(names: right, usage: "clientAuth"),
      said: "its extended key usage does not allow a TLS server"),
    Case(
      label: "for-mail", text: CertificateText(names: right, usage: "emailProtection"),
      said: "its extended key usage does not allow a TLS server"),
    Case(
      label: "other-authority", text: CertificateText(names: right), issuer: .foreign,
      said: "no trusted authority issued it"),
    Case(
      label: "self-signed", text: CertificateText(names: right), issuer: .itself,
      said: "self-signed certificate: it is not among the trusted ones"),
    Case(label: "by-a-leaf", text: CertificateText(names: right), issuer: .aLeaf, said: "invalid CA certificate"),
    Case(
      label: "weak-key", text: CertificateText(names: right, key: ["rsa:1024"]), said: "key too weak"),
    Case(label: "weak-digest", text: CertificateText(names: right, digest: "sha1"), said: "digest algorithm too weak"),
    Case(label: "rsa", text: CertificateText(names: right, key: ["rsa:2048"])),
  ]

  @Test func serversAreTakenAtTheirCertificates() async throws {
    let cases = Self.names + Self.certificates
    let (authority, foreign) = (try await Authority(), try await Authority())
    let leaf = try await authority.issue(CertificateText(names: Self.right))
    var identities: [Authority.Identity] = []
    for entry in cases {
      switch entry.issuer {
      case .ours: identities.append(try await authority.issue(entry.text))
      case .foreign: identities.append(try await foreign.issue(entry.text))
      case .itself: identities.append(try await Authority.selfSigned(entry.text))
      case .aLeaf: identities.append(try await authority.issue(entry.text, signedBy: leaf))
      }
    }
    let park = try await ServerPark(identities)
    let exporters = zip(cases, park.ports).map { entry, port in
      """
        otlp/\(entry.label):
          endpoint: "127.0.0.1:\(port)"
          connections: 1
          retry_on_failure: {initial_interval: 10m, max_interval: 10m}
          tls: \(authority.exporter(name: entry.name))
      """
    }
    let process = try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
      admin: {endpoint: "127.0.0.1:0"}
      exporters:
      \(exporters.joined(separator: "\n"))
      """)
    let peers = try await process.settledPeers()
    for entry in cases {
      let peer = peers["otlp/\(entry.label)"]
      if entry.said != nil { _ = try await process.logLine { $0.contains("exporter=otlp/\(entry.label) ") } }
      let lines = process.logText.split(separator: "\n").filter { $0.contains("exporter=otlp/\(entry.label) ") }
      if let said = entry.said {
        #expect(peer?.connections == 0, "\(entry.label) was accepted")
        #expect(peer?.last_error?.contains(said) == true, "\(entry.label): \(peer?.last_error ?? "nothing")")
        #expect(peer?.last_error?.hasPrefix("TLS peer not verified: ") == true, "\(entry.label)")
        #expect(lines.count == 1 && lines[0].contains(said), "\(entry.label): \(lines)")
      } else {
        #expect(peer?.connections ?? 0 > 0, "\(entry.label): \(peer?.last_error ?? "no connection")")
        #expect(lines.isEmpty, "\(entry.label): \(lines)")
      }
    }
  }

  /// Names that would mean something else to OpenSSL than to whoever wrote them.
  @Test(arguments: ["bücher.example", ".example.com", "*.example.com", "localhost:4317", "a b", "a..b"])
  func namesThatAreNone(_ name: String) async throws {
    let text = Deployment.relayText("us-east-1", to: "localhost:1", tls: "{server_name_override: \"\(name)\"}")
    let process = try LongspanProcess("relay", text)
    #expect(await process.exitStatus() == 78)
    let line = try await process.logLine { $0.contains("server_name_override") }
    #expect(line.contains("relay.yaml:7: exporters.otlp.tls.server_name_override: must be a host name"), "\(line)")
  }
}
