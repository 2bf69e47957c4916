import Testing

@testable import TLSEngine

@Suite("Server names")
struct ServerNameTests {
  @Test("A server is accepted under the names its certificate holds")
  func goodNames() throws {
    for (names, name) in [
      (["DNS:collector.example.com"], "collector.example.com"),
      (["DNS:collector.example.com"], "Collector.Example.COM"),
      (["DNS:collector.example.com"], "collector.example.com."),
      (["DNS:*.example.com"], "collector.example.com"),
      (["DNS:other.example.com", "DNS:collector_1"], "collector_1"),
      (["IP:127.0.0.1"], "127.0.0.1"),
      (["IP:::1"], "::1"),
      (["IP:::1"], "[::1]"),
    ] {
      let link = try handshake(Leaf(names: names), as: name)
      #expect(link.client.session.isEstablished && link.server.session.isEstablished, "\(names) \(name)")
      #expect(link.client.fault == nil && link.server.fault == nil)
      #expect(link.client.session.peerIsAuthenticated)
      #expect(!link.server.session.peerIsAuthenticated)
    }
  }

  @Test("A server is refused under any other name, and told why")
  func wrongNames() throws {
    for (names, name, detail) in [
      (["DNS:collector.example.com"], "other.example.com", "hostname mismatch"),
      (["DNS:collector.example.com"], "example.com", "hostname mismatch"),
      (["DNS:*.example.com"], "a.b.example.com", "hostname mismatch"),
      (["DNS:*.example.com"], "example.com", "hostname mismatch"),
      (["DNS:c*.example.com"], "collector.example.com", "hostname mismatch"),
      (["DNS:*r.example.com"], "collector.example.com", "hostname mismatch"),
      (["DNS:127.0.0.1"], "127.0.0.1", "IP address mismatch"),
      (["IP:127.0.0.1"], "127.0.0.2", "IP address mismatch"),
      (["IP:127.0.0.1"], "localhost", "hostname mismatch"),
      (["URI:https://collector.example.com"], "collector.example.com", "hostname mismatch"),
    ] {
      let link = try handshake(Leaf(names: names), as: name)
      #expect(link.client.fault?.kind == .verificationFailed, "\(names) \(name)")
      let wanted =
        detail.hasPrefix("IP")
        ? "no IP address among its alternative names is \(name)" : "no alternative name in it is \(name)"
      #expect(link.client.fault?.detail == "\(detail): \(wanted)", "\(names) \(name)")
      #expect(!link.client.session.isEstablished && !link.client.session.peerIsAuthenticated)
      #expect(link.server.fault?.kind == .refusedByPeer)
      #expect(link.server.fault?.alert == 42, "bad_certificate")
    }
  }

  @Test("The subject's common name does not count")
  func commonName() throws {
    let none = "it has no alternative names, and its common name does not count"
    let link = try handshake(Leaf(subject: "/CN=collector.example.com", names: []))
    #expect(link.client.fault?.detail == "hostname mismatch: \(none)")
    let address = try handshake(Leaf(subject: "/CN=127.0.0.1", names: []), as: "127.0.0.1")
    #expect(address.client.fault?.detail == "IP address mismatch: \(none)")
    let other = try handshake(Leaf(subject: "/CN=collector.example.com", names: ["DNS:other.example.com"]))
    #expect(other.client.fault?.detail == "hostname mismatch: no alternative name in it is collector.example.com")
  }

  @Test("What is no name is refused before it can turn verification off")
  func badNames() throws {
    let ours = try Authority.ours.get()
    for name in [
      "", ".", ".example.com", "a..example.com", "a b", "*.example.com", "exämple.com", "a\u{0}.example.com",
      "host:4317",
      "[collector]", "fe80::1%eth0", String(repeating: "a", count: 64), "127.0.0.1\u{0}",
      Array(repeating: String(repeating: "a", count: 50), count: 5).joined(separator: "."),
    ] {
      #expect(throws: TLSConfigurationFault(.serverName, .badName), "\(name)") {
        try TLSContext(client: TLSClientConfiguration(name, trusting: ours.trust))
      }
    }
  }

  @Test("Names of 63 and 253 bytes are still names")
  func longestNames() throws {
    let label = String(repeating: "a", count: 63)
    #expect(try ServerName(label) == .host(label))
    let longest = [label, label, label, String(label.dropLast(2))].joined(separator: ".")
    #expect(longest.utf8.count == 253)
    #expect(try ServerName(longest) == .host(longest))
    #expect(throws: TLSConfigurationFault(.serverName, .badName)) { try ServerName(longest + "a") }
  }
}
