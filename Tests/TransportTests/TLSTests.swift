import HTTP2Engine
import TLSEngine
import Testing
import Transport

@Suite(.timeLimit(.minutes(2))) struct TLSTests {
  /// What ALPN agreed on decides; without it the first bytes do.
  @Test(arguments: [["http/1.1"], []]) func http1(_ protocols: [String]) async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(tls: certificates.serverContext())
    let peer = try await RawPeer.connect(to: server.address, tls: certificates.clientContext(protocols: protocols))
    for index in 0..<3 {
      try await peer.send(post("/echo", "body \(index)"))
      #expect(await peer.read { $0.messages.count > index }.messages.last?.body == "body \(index)")
    }
    try await peer.send(post("/echo", "last", headers: "connection: close\r\n"))
    let seen = await peer.readToEnd()
    #expect(seen.messages.last?.body == "last")
    #expect(seen.failure == nil)
    await peer.close()
  }

  @Test func http2WithoutALPN() async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(tls: certificates.serverContext())
    let peer = try await RawPeer.connect(to: server.address, tls: certificates.clientContext(protocols: []))
    try await peer.send(try HTTP2Client().bytes())
    #expect(await peer.read { $0.bytes.count >= 9 }.bytes[3] == 4, "SETTINGS")
    await peer.close()
  }

  @Test func noCommonProtocol() async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(.http2, tls: certificates.serverContext(protocols: ["h2"]))
    let peer = try await RawPeer.connect(to: server.address, tls: certificates.clientContext(protocols: ["http/1.1"]))
    #expect(await peer.readToEnd().failure?.contains("refused") == true, "the alert was read")
    #expect(server.closed["tls_handshake_failed"] == 1)
    await peer.close()
  }

  @Test func whatIsNotTLS() async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(tls: certificates.serverContext())
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send(post("/echo", "in clear"))
    let seen = await peer.readToEnd()
    // OpenSSL recognises HTTP and spares it an alert.
    #expect(seen.bytes.isEmpty)
    #expect(seen.failure == nil)
    #expect(server.closed["tls_handshake_failed"] == 1)
    #expect(server.journal.state.begun.isEmpty)
    await peer.close()
  }

  /// A request with the peer's `close_notify` right behind it is still answered.
  @Test(arguments: ["/echo", "/later"]) func aPeerThatSaysCloseNotifyGetsItsAnswer(_ path: String) async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(tls: certificates.serverContext())
    let peer = try await RawPeer.connect(to: server.address, tls: certificates.clientContext(protocols: ["http/1.1"]))
    try await peer.send(post(path, "bye"))
    try await peer.sayCloseNotify()
    if path == "/later" { await server.answerWaiting() }
    await server.journal.wait { $0.finished == [path] && $0.alive == 0 }
    await peer.readToEnd()
    #expect(server.closed.isEmpty)
    await peer.close()
  }

  @Test func aReloadIsForNewConnections() async throws {
    let certificates = try Certificates.made.get()
    let source = TLSContextSource(try certificates.serverContext())
    let replacement = try certificates.serverContext(protocols: ["h2"])
    #expect(source.current !== replacement)
    source.replace(with: replacement)
    #expect(source.current === replacement)
  }
}
