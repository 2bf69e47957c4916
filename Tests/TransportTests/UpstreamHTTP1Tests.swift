import HTTP2Engine
import NIOCore
import TLSEngine
import Testing
import Transport

/// A client connection on which HTTP/1.1 is spoken.
@Suite(.timeLimit(.minutes(2))) struct UpstreamHTTP1Tests {
  private static let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\n\r\nhi"

  private func connect(_ server: RawServer, limits: HTTP2ClientLimits = HTTP2ClientLimits()) async throws -> Upstream {
    let upstream = try await Upstream(server.address, protocols: .http1OrHTTP2, limits: limits)
    await upstream.up()
    return upstream
  }

  @Test func requestsFollowEachOtherOnOneConnection() async throws {
    let server = try await RawServer()
    let upstream = try await connect(server)
    let peer = await server.accept()
    try await upstream.submit("a", path: "/v1/traces?x=y", prefix: [0x31], body: [0x32, 0x33])
    let seen = await peer.read { $0.text.hasSuffix("123") }.text
    #expect(seen.hasPrefix("POST /v1/traces?x=y HTTP/1.1\r\nhost: a\r\n"), "\(seen)")
    #expect(seen.contains("\r\ncontent-length: 3\r\n") && !seen.contains(":path"))
    // One at a time.
    try await upstream.submit("early")
    #expect(upstream.life.state.refusals == 1)
    try await peer.send(Self.answer)
    let life = await upstream.answer("a")
    let response = try #require(try life.answers["a"]?.get())
    #expect(response.status == 200)
    #expect(response.body == Array("hi".utf8))
    #expect(response.fields.text("x-a") == "b")
    try await upstream.submit("b", body: [0x34])
    await peer.read { $0.text.hasSuffix("\r\n\r\n4") }
    try await peer.send("HTTP/1.1 503 Busy\r\nretry-after: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
    let second = try #require(try await upstream.answer("b").answers["b"]?.get())
    #expect(second.status == 503 && second.body == Array("no".utf8) && second.fields.text("retry-after") == "3")
    try await upstream.close()
    #expect(await upstream.down().downs == [.closedHere])
    await server.close()
  }

  @Test func aLargeBodyGoesInPieces() async throws {
    let server = try await Server()
    let upstream = try await Upstream(server.address, protocols: .http1OrHTTP2)
    await upstream.up()
    let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try await upstream.submit("a", body: body)
    #expect(try await upstream.answer("a").answers["a"]?.get().body == body)
    #expect(server.journal.state.begun.map(\.version) == [.http1])
    try await upstream.close()
  }

  @Test func whatIsChosenByALPNIsSpoken() async throws {
    let certificates = try Certificates.made.get()
    for (protocols, version) in [(["h2", "http/1.1"], HTTPVersion.http2), (["http/1.1"], .http1), ([], .http1)] {
      let server = try await Server(tls: certificates.serverContext(protocols: protocols))
      let upstream = try await Upstream(
        server.address, tls: certificates.clientContext(protocols: ["h2", "http/1.1"]), protocols: .http1OrHTTP2)
      await upstream.up()
      let body = [UInt8](repeating: 7, count: 300_000)
      try await upstream.submit("a", body: body)
      #expect(try await upstream.answer("a").answers["a"]?.get().body == body)
      #expect(server.journal.state.begun.map(\.version) == [version])
      try await upstream.close()
    }
  }

  /// Servers close what is not used; that is no failure. In the middle of a request it is one.
  @Test func thePeerCloses() async throws {
    let server = try await RawServer()
    let idle = try await connect(server)
    await server.accept(0).close()
    #expect(await idle.down().downs == [.idle])
    let waiting = try await connect(server)
    let peer = await server.accept(1)
    // Whether it says that it waited in vain or not.
    try await peer.send("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    #expect(await waiting.down().downs == [.idle])
    let busy = try await connect(server)
    try await busy.submit("a")
    await server.accept(2).read { !$0.bytes.isEmpty }
    await server.accept(2).close()
    let life = await busy.down()
    #expect(life.failure("a") == .connectionLost)
    #expect(life.downs.map(\.label) == ["closed"])
    await server.close()
  }

  @Test func aConnectionThatIsToCloseIsNotUsedAgain() async throws {
    let server = try await RawServer()
    let upstream = try await connect(server)
    try await upstream.submit("a")
    let peer = await server.accept()
    await peer.read { !$0.bytes.isEmpty }
    try await peer.send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    let life = await upstream.down()
    #expect(life.status("a") == 200)
    #expect(life.isGoingAway && life.capacityChanges == 1)
    #expect(life.downs == [.goingAway])
    // An answer that ends with its connection is whole when that ends.
    let again = try await connect(server)
    try await again.submit("a")
    let other = await server.accept(1)
    await other.read { !$0.bytes.isEmpty }
    try await other.send("HTTP/1.1 200 OK\r\n\r\nall there is")
    await other.close()
    #expect(try await again.answer("a").answers["a"]?.get().body == Array("all there is".utf8))
    await server.close()
  }

  @Test func aRequestThatIsCalledOffTakesItsConnectionAlong() async throws {
    let server = try await RawServer()
    let upstream = try await connect(server)
    try await upstream.submit("a")
    let peer = await server.accept()
    await peer.read { !$0.bytes.isEmpty }
    try await upstream.cancel("a")
    let life = await upstream.down()
    #expect(life.failure("a") == .reset(code: 8))
    #expect(life.downs.map(\.label) == ["cancelled"])
    await peer.readToEnd()
    await server.close()
  }

  @Test func anAnswerBeforeTheEndOfTheRequest() async throws {
    let server = try await RawServer(reads: false)
    let upstream = try await connect(server)
    try await upstream.submit("a", body: [UInt8](repeating: 1, count: 64 << 20))
    let peer = await server.accept()
    try await peer.send("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
    let life = await upstream.down()
    #expect(life.status("a") == 413)
    #expect(life.downs == [.goingAway])
    await peer.close()
    await server.close()
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n" + String(repeating: "x", count: 2000), "too_large"),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n" + String(repeating: "x", count: 2000), "too_large"),
    ("HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 3000) + "\r\n\r\n", "http1_protocol_error"),
    ("nonsense\r\n\r\n", "http1_protocol_error"),
  ]) func hostileAnswers(_ answer: String, _ label: String) async throws {
    let server = try await RawServer()
    let upstream = try await connect(server, limits: HTTP2ClientLimits(headerBytesMax: 2048, responseBytesMax: 1999))
    try await upstream.submit("a")
    let peer = await server.accept()
    await peer.read { !$0.bytes.isEmpty }
    try await peer.send(answer)
    let life = await upstream.down()
    #expect(life.downs.map(\.label) == [label])
    #expect(life.failure("a") == (label == "too_large" ? .tooLarge : .connectionLost))
    await server.close()
  }
}
