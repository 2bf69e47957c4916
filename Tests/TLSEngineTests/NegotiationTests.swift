import Testing

@testable import TLSEngine

@Suite("Negotiation")
struct NegotiationTests {
  private func link(
    client clientNames: [String], server serverNames: [String], client clientVersion: TLSVersion = .tls13,
    server serverVersion: TLSVersion = .tls12
  ) throws -> Link {
    let ours = try Authority.ours.get()
    var client = TLSClientConfiguration(trusting: ours.trust)
    client.applicationProtocols = clientNames
    client.minimumVersion = clientVersion
    var server = TLSServerConfiguration(try ours.issue())
    server.applicationProtocols = serverNames
    server.minimumVersion = serverVersion
    return try Link(client: TLSContext(client: client), server: TLSContext(server: server)).shakeHands()
  }

  @Test("The server's first choice among the client's protocols is taken")
  func choice() throws {
    for (client, server, chosen) in [
      (["h2"], ["h2", "http/1.1"], "h2"),
      (["http/1.1", "h2"], ["h2", "http/1.1"], "h2"),
      (["http/1.1"], ["h2", "http/1.1"], "http/1.1"),
      (["h3", "h2"], ["h2"], "h2"),
      ([], ["h2"], nil),
      (["h2"], [], nil),
    ] {
      let link = try link(client: client, server: server)
      #expect(link.client.session.isEstablished && link.server.session.isEstablished)
      #expect(link.client.session.negotiatedProtocol == chosen, "\(client) \(server)")
      #expect(link.server.session.negotiatedProtocol == chosen, "\(client) \(server)")
    }
  }

  @Test("Without a common protocol the client is refused with no_application_protocol")
  func mismatch() throws {
    for names in [["h3"], ["h"], ["h22"]] {
      let link = try link(client: names, server: ["h2", "http/1.1"])
      #expect(link.server.fault?.kind == .handshakeFailed)
      #expect(link.server.fault?.detail == "no application protocol")
      #expect(link.client.fault?.kind == .refusedByPeer)
      #expect(link.client.fault?.alert == 120)
    }
  }

  @Test("A host name is sent as SNI without its final dot; an address is not sent")
  func serverNameIndication() throws {
    let ours = try Authority.ours.get()
    for (name, sent, isSent) in [
      ("collector.example.com.", "collector.example.com", true), ("192.0.2.77", "192.0.2.77", false),
      ("[2001:db8::77]", "2001:db8::77", false),
    ] {
      let client = try End(TLSContext(client: TLSClientConfiguration(name, trusting: ours.trust)))
      client.start()
      let hello = client.takeOutput()
      // RFC 6066, section 3: list length, type host_name, name length, name.
      let count = UInt8(sent.utf8.count)
      let indication = [0, count + 3, 0, 0, count] + Array(sent.utf8)
      #expect(hello.contains(indication) == isSent, "\(name)")
      #expect(!hello.contains(Array(sent.utf8)) || isSent, "\(name)")
    }
  }

  @Test("Both speak TLS 1.3 unless one cannot")
  func versions() throws {
    let link = try link(client: ["h2"], server: ["h2"], client: .tls12, server: .tls12)
    #expect(link.client.session.protocolVersion == "TLSv1.3")
    #expect(link.server.session.protocolVersion == "TLSv1.3")
  }
}
