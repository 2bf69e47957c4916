import HTTP2Engine
import NIOCore
import NIOPosix
import TLSEngine
import Testing
import Transport

@Suite(.timeLimit(.minutes(2))) struct UpstreamTests {
  @Test func connectionRefused() async throws {
    let server = try await RawServer()
    await server.close()
    let life = try await Upstream(server.address).down()
    #expect(life.downs.map(\.label) == ["connect"])
    #expect(life.ups == 0)
  }

  @Test func nobodySpeaksTLS() async throws {
    let certificates = try Certificates.made.get()
    let server = try await RawServer()
    let upstream = try await Upstream(server.address, tls: certificates.clientContext())
    let peer = await server.accept()
    try await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
    #expect(await upstream.down().downs.map(\.label) == ["tls"])
    await server.close()
  }

  @Test func aServerThatCannotBeVerified() async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(tls: certificates.serverContext())
    for context in try [
      certificates.clientContext(name: "collector.example.com"),
      certificates.clientContext(trusting: certificates.relay),
    ] {
      let life = try await Upstream(server.address, tls: context).down()
      #expect(life.downs.map(\.label) == ["tls"])
      #expect(life.downs[0].message.contains("not verified"), "\(life.downs)")
      #expect(life.ups == 0)
    }
    // The server is told why, and counts it.
    await server.listener.drain(within: .seconds(60))
    #expect(server.closed["tls_refused_by_peer"] == 2)
  }

  @Test func aServerWithoutHTTP2() async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(tls: certificates.serverContext(protocols: []))
    let life = try await Upstream(server.address, tls: certificates.clientContext()).down()
    #expect(life.downs.map(\.label) == ["tls"])
    #expect(life.downs[0].message.contains("ALPN"), "\(life.downs)")
  }

  /// A TLS 1.3 client is done with its handshake before the server has judged its certificate, and still not up.
  @Test func aServerThatRefusesTheClient() async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(tls: certificates.serverContext(demandsRelay: true))
    let upstream = try await Upstream(server.address, tls: certificates.clientContext())
    let life = await upstream.down()
    #expect(life.downs.map(\.label) == ["tls"])
    #expect(life.downs[0].message.contains("certificate required"), "the alert was read: \(life.downs)")
    #expect(life.ups == 0)
    #expect(server.journal.state.begun.isEmpty)
  }

  @Test func theServerLearnsTheRegionOfTheClient() async throws {
    let certificates = try Certificates.made.get()
    let server = try await Server(.http2, tls: certificates.serverContext(demandsRelay: true, protocols: ["h2"]))
    let upstream = try await Upstream(server.address, tls: certificates.clientContext(showsRelay: true))
    await upstream.up()
    try await upstream.submit("a", body: [1])
    #expect(await upstream.answer("a").status("a") == 200)
    #expect(
      server.journal.state.peers == [PeerIdentity(address: "127.0.0.1", region: "us-west-2", isAuthenticated: true)])
    try await upstream.close()
  }

  @Test func nothingIsHeardInTime() async throws {
    let certificates = try Certificates.made.get()
    let server = try await RawServer()
    let upstream = try await Upstream(
      server.address, tls: certificates.clientContext(), connectTimeout: .milliseconds(20))
    #expect(await upstream.down().downs.map(\.label) == ["timeout"])
    await server.close()
  }

  @Test func aPeerThatSaysNothingIsNotUp() async throws {
    let server = try await RawServer()
    let upstream = try await Upstream(server.address, connectTimeout: .milliseconds(20))
    let life = await upstream.down()
    #expect(life.ups == 0)
    #expect(life.downs.map(\.label) == ["timeout"])
    await server.close()
  }

  @Test func givenUpWhileConnecting() async throws {
    let server = try await RawServer()
    let upstream = try await Upstream(server.address)
    try await upstream.close()
    #expect(await upstream.down().downs.map(\.label) == ["closed_here"])
    await server.close()
    // One that was made is ended too.
    let other = try await RawServer()
    let again = try await Upstream(other.address)
    let peer = await other.accept()
    try await peer.greet()
    await again.up()
    try await again.close()
    #expect(await again.down().downs.count == 1)
    await peer.readToEnd()
    await other.close()
  }

  @Test func goodbyeIsSaid() async throws {
    let server = try await RawServer()
    let upstream = try await Upstream(server.address)
    let peer = await server.accept()
    try await peer.greet()
    await upstream.up()
    try await upstream.close()
    let seen = await peer.readToEnd()
    #expect(Array(seen.bytes.suffix(17).prefix(9)) == [0, 0, 8, 7, 0, 0, 0, 0, 0], "GOAWAY")
    #expect(seen.bytes.suffix(4) == [0, 0, 0, 0], "NO_ERROR")
    await server.close()
  }

  @Test func goAwayLetsWhatIsInFlightFinish() async throws {
    let server = try await RawServer()
    let upstream = try await Upstream(server.address)
    let peer = await server.accept()
    let http2 = ScriptedHTTP2()
    try await peer.send(try http2.say())
    await upstream.up()
    try await upstream.submit("a", body: [1])
    while http2.responders.isEmpty {
      let count = peer.wire.state.bytes.count
      let bytes = try http2.take(await peer.read { $0.bytes.count >= max(count, 1) })
      if !bytes.isEmpty { try await peer.send(bytes) }
    }
    try await peer.send(try http2.leave())
    await upstream.life.wait { $0.isGoingAway }
    try await upstream.submit("b", body: [1])
    #expect(upstream.life.state.refusals == 1, "a new one is not sent")
    #expect(upstream.life.state.downs.isEmpty)
    http2.responders[0].respond(Response(status: 204))
    try await peer.send(try http2.say())
    let life = await upstream.down()
    #expect(life.status("a") == 204)
    #expect(life.downs.map(\.label) == ["going_away"])
    http2.end()
    await server.close()
  }

  @Test func lostWithRequestsInFlight() async throws {
    let server = try await RawServer()
    let upstream = try await Upstream(server.address)
    let peer = await server.accept()
    try await peer.greet()
    await upstream.up()
    for name in ["a", "b"] { try await upstream.submit(name, body: [1]) }
    await peer.read { $0.bytes.count > 100 }
    await peer.close()
    let life = await upstream.down()
    #expect(life.failure("a") == .connectionLost && life.failure("b") == .connectionLost)
    #expect(life.downs.count == 1)
    await server.close()
  }

  @Test func garbageEndsTheConnection() async throws {
    let server = try await RawServer()
    let upstream = try await Upstream(server.address)
    let peer = await server.accept()
    try await peer.greet()
    await upstream.up()
    try await upstream.submit("a", body: [1])
    try await peer.send([UInt8](repeating: 0xff, count: 100))
    let life = await upstream.down()
    #expect(life.downs.map(\.label) == ["http2_frame_size_error"])
    #expect(life.failure("a") == .connectionLost)
    #expect(await peer.readToEnd().bytes.count > 9, "the peer is told")
    await server.close()
  }

  /// A peer that gives no credit: what it may get is sent, the rest waits here, and a request can be called off.
  @Test func aPeerThatGivesNoCredit() async throws {
    let server = try await RawServer()
    let upstream = try await Upstream(server.address)
    let peer = await server.accept()
    try await peer.greet()
    await upstream.up()
    let before = try await upstream.run { $0.lastReceived }
    try await upstream.submit("a", body: [UInt8](repeating: 7, count: 10 << 20))
    let seen = await peer.read { $0.bytes.filter { $0 == 7 }.count >= 65_535 }
    #expect(seen.bytes.count < 70_000)
    #expect(try await upstream.run { $0.askForRoom() } == false, "another request would find no credit either")
    try await upstream.cancel("a")
    #expect(await upstream.answer("a").failure("a") == .reset(code: 8))
    #expect(try await upstream.run { $0.lastReceived } == before, "nothing came: whoever looks knows that it is dead")
    try await upstream.close()
    await server.close()
  }

  @Test func aPeerThatDoesNotRead() async throws {
    let server = try await RawServer(reads: false)
    let upstream = try await Upstream(server.address)
    let peer = await server.accept()
    try await peer.greet()
    await upstream.up()
    // SETTINGS with all the credit there is.
    let window: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 255, 255, 255]
    try await peer.send(window + [0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 255, 0, 0])
    try await upstream.submit("first", body: [1])
    #expect(try await upstream.run { $0.askForRoom() })
    for index in 0..<40 { try await upstream.submit("\(index)", body: [UInt8](repeating: 7, count: 1 << 20)) }
    #expect(upstream.life.state.downs.isEmpty)
    #expect(try await upstream.run { $0.askForRoom() } == false)
    #expect(upstream.life.state.sents < 41 && upstream.life.state.rooms == 0)
    // What goes out is what the socket takes, not what was handed over; read on, and all of it comes.
    try await peer.setReading(true)
    await peer.read { $0.bytes.count > 40 << 20 }
    await upstream.life.wait { $0.sents == 41 && $0.rooms == 1 }
    #expect(upstream.life.state.downs.isEmpty)
    try await upstream.close()
    let life = await upstream.down()
    #expect(life.answers.count == 41 && life.answers.keys.allSatisfy { life.failure($0) == .connectionLost })
    await server.close()
  }

  @Test func bytesThatComeAreSignsOfLife() async throws {
    let server = try await Server(.http2)
    let upstream = try await Upstream(server.address)
    await upstream.up()
    let before = try await upstream.run { $0.lastReceived }
    try await upstream.submit("a", body: [1])
    await upstream.answer("a")
    #expect(try await upstream.run { $0.lastReceived } > before)
    try await upstream.close()
  }

  @Test func thePeersLimitIsKeptAndTold() async throws {
    let server = try await Server(.http2, http2: HTTP2Limits(maxConcurrentStreams: 3))
    let upstream = try await Upstream(server.address)
    await upstream.up()
    for index in 0..<4 { try await upstream.submit("\(index)", path: "/later") }
    #expect(upstream.life.state.refusals == 1)
    await server.answerWaiting(3)
    await upstream.answer("0", "1", "2")
    #expect(upstream.life.state.capacityChanges == 0, "it was known from the beginning")
    try await upstream.close()
  }

  @Test func anotherLimitIsTold() async throws {
    let server = try await RawServer()
    let upstream = try await Upstream(server.address)
    let peer = await server.accept()
    try await peer.greet()
    await upstream.up()
    // SETTINGS with MAX_CONCURRENT_STREAMS, the same twice.
    for _ in 0..<2 { try await peer.send([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2]) }
    let life = await upstream.life.wait { $0.concurrencyMax == 2 }
    #expect(life.capacityChanges == 1, "only what changed is told")
    for index in 0..<3 { try await upstream.submit("\(index)") }
    #expect(upstream.life.state.refusals == 1)
    try await upstream.close()
    await server.close()
  }

  @Test func whatHasEndedIsLetGo() async throws {
    let server = try await Server(.http2)
    let released = Witness(false)
    let upstream = try await Upstream(server.address)
    await upstream.up()
    try await upstream.submit("a", path: "/never", body: [1])
    final class Canary: Sendable {
      let released: Witness<Bool>
      init(_ released: Witness<Bool>) { self.released = released }
      deinit { released.change { $0 = true } }
    }
    let canary = Canary(released)
    // The request's completion is the last thing that a connection holds of its owner.
    try await upstream.run { [canary] connection in
      _ = connection.submit(
        ClientRequest(method: "POST", scheme: "http", authority: "a", path: "/never"), prefix: [], body: []
      ) { _ in
        withExtendedLifetime(canary) {}
      }
    }
    try await upstream.close()
    await server.journal.wait { $0.alive == 0 }
    _ = consume canary
    await released.wait { $0 }
  }
}
