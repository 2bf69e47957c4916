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

  @Test("Both speak TLS 1.3 unless one cannot")
  func versions() throws {
    let link = try link(client: ["h2"], server: ["h2"], client: .tls12, server: .tls12)
    #expect(link.client.session.protocolVersion == "TLSv1.3")
    #expect(link.server.session.protocolVersion == "TLSv1.3")
  }
}
