import HTTP2Engine
import Telemetry
import Testing
import Transport

@Suite(.timeLimit(.minutes(2))) struct DrainTests {
  @Test func idleConnectionsEndAndNoneIsAccepted() async throws {
    let server = try await Server()
    let silent = try await RawPeer.connect(to: server.address)
    let kept = try await RawPeer.connect(to: server.address)
    try await kept.send(post("/echo", "x"))
    await kept.read { $0.messages.count == 1 }
    let upstream = try await Upstream(server.address)
    await upstream.up()
    try await upstream.submit("a")
    await upstream.answer("a")
    await server.listener.drain(within: .seconds(60))
    #expect(await silent.readToEnd().failure == nil)
    #expect(await kept.readToEnd().failure == nil)
    #expect(await upstream.down().downs.map(\.label) == ["going_away"])
    #expect(server.counters.open == 0)
    await #expect(throws: (any Error).self) { try await RawPeer.connect(to: server.address) }
    // A second time there is nothing to do.
    await server.listener.drain(within: .seconds(60))
    await silent.close()
    await kept.close()
  }

  @Test func requestsInFlightFinish() async throws {
    let server = try await Server(lingerTimeout: .milliseconds(20))
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send(post("/later", "one") + post("/echo", "too late"))
    let upstream = try await Upstream(server.address)
    await upstream.up()
    try await upstream.submit("a", path: "/later", body: [1])
    await server.journal.wait { $0.waiting.count == 2 }
    async let drained: Void = server.listener.drain(within: .seconds(60))
    await upstream.life.wait { $0.isGoingAway }
    try await upstream.submit("b")
    #expect(upstream.life.state.refusals == 1)
    await server.answerWaiting(2)
    await drained
    #expect(try await upstream.down().answers["a"]?.get().body == [1])
    let seen = await peer.readToEnd()
    #expect(seen.messages.map(\.body) == ["one"])
    #expect(seen.messages.first?.headers["connection"] == "close")
    #expect(server.counters.open == 0)
    await peer.close()
  }

  @Test func whenTheTimeIsOverConnectionsAreCutOff() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send(post("/never", "x"))
    let upstream = try await Upstream(server.address)
    await upstream.up()
    try await upstream.submit("a", path: "/never", body: [1])
    await server.journal.wait { $0.finished.count == 2 }
    await server.listener.drain(within: .milliseconds(10))
    #expect(await upstream.down().failure("a") == .connectionLost)
    #expect(await peer.readToEnd().messages.isEmpty)
    await server.journal.wait { $0.alive == 0 }
    #expect(server.counters.open == 0)
    await peer.close()
  }

  @Test func connectionsAreCapped() async throws {
    let server = try await Server(connectionsMax: 2)
    func served(_ peer: RawPeer) async throws -> Bool {
      try? await peer.send(post("/echo", "x"))
      return await peer.read { $0.messages.count == 1 }.messages.count == 1
    }
    let first = try await RawPeer.connect(to: server.address)
    #expect(try await served(first))
    let second = try await RawPeer.connect(to: server.address)
    #expect(try await served(second))
    let third = try await RawPeer.connect(to: server.address)
    #expect(try await !served(third))
    #expect(server.counters.open == 2)
    try await first.closeOutput()
    await first.readToEnd()
    await first.close()
    await server.listener.drain(within: .seconds(60))
    #expect(server.counters.open == 0)
    await second.close()
    await third.close()
  }

  @Test func connectionsOfOneAddressAreCapped() async throws {
    let server = try await Server(perPeerMax: 1)
    func served(_ peer: RawPeer) async throws -> Bool {
      try? await peer.send(post("/echo", "x"))
      return await peer.read { $0.messages.count == 1 }.messages.count == 1
    }
    let first = try await RawPeer.connect(to: server.address)
    #expect(try await served(first))
    let second = try await RawPeer.connect(to: server.address)
    #expect(try await !served(second))
    let refused = server.counters.families().filter { $0.name == "longspan_connections_refused_total" }
      .flatMap(\.samples).map { "\($0.labels.map(\.value).joined()): \($0.value)" }
    #expect(refused == ["max_connections: number(0.0)", "max_connections_per_peer: number(1.0)"])
    server.counters.resize(connectionsMax: 100, perPeerMax: 2)
    let third = try await RawPeer.connect(to: server.address)
    #expect(try await served(third))
    await server.listener.drain(within: .seconds(60))
    for peer in [first, second, third] { await peer.close() }
  }

  @Test func otherLimitsHoldForLaterConnections() async throws {
    let server = try await Server()
    let before = try await RawPeer.connect(to: server.address)
    try await before.send(post("/echo", "x"))
    await before.read { $0.messages.count == 1 }
    server.listener.adopt(http2: HTTP2Limits(headerBytesMax: 100), timeouts: ConnectionTimeouts(linger: .zero))
    let long = "POST /echo HTTP/1.1\r\ncontent-length: 0\r\nx: " + String(repeating: "y", count: 200) + "\r\n\r\n"
    try await before.send(long)
    #expect(await before.read { $0.messages.count == 2 }.messages.map(\.status) == [200, 200])
    let after = try await RawPeer.connect(to: server.address)
    try? await after.send(long)
    #expect(await after.read { $0.messages.count == 1 }.messages.map(\.status) == [431])
    await server.listener.drain(within: .seconds(60))
    for peer in [before, after] { await peer.close() }
  }
}
