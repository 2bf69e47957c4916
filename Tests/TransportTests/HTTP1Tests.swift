import HTTP2Engine
import Testing
import Transport

@Suite(.timeLimit(.minutes(2))) struct HTTP1Tests {
  @Test func keepAlive() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    for (index, body) in ["one", "", "three"].enumerated() {
      try await peer.send(post("/echo", body))
      let seen = await peer.read { $0.messages.count > index }
      #expect(seen.messages.last?.status == 200)
      #expect(seen.messages.last?.body == body)
      #expect(seen.messages.last?.headers["connection"] == nil)
      #expect(!seen.isEnded)
    }
    #expect(server.journal.state.begun.map(\.version) == [.http1, .http1, .http1])
    #expect(server.journal.state.peers.map(\.address) == ["127.0.0.1", "127.0.0.1", "127.0.0.1"])
    await peer.close()
  }

  @Test func pipelining() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send((0..<20).map { post("/echo", "body \($0)") }.joined())
    let seen = await peer.read { $0.messages.count >= 20 }
    #expect(seen.messages.map(\.body) == (0..<20).map { "body \($0)" })
    await peer.close()
  }

  /// The codec hands over what it has of the next request from inside the answer to the one before; the rest follows.
  @Test func pipeliningHalfARequest() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    let next = post("/echo", "hello")
    try await peer.send(post("/later", "a") + next.dropLast(3))
    await server.answerWaiting()
    #expect(await peer.read { $0.messages.count >= 1 }.messages.map(\.body) == ["a"])
    try await peer.send(String(next.suffix(3)))
    #expect(await peer.read { $0.messages.count >= 2 }.messages.map(\.body) == ["a", "hello"])
    await peer.close()
  }

  @Test func pipeliningWithAnswersThatComeLater() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send(post("/later", "a") + post("/later", "b") + post("/echo", "c"))
    for _ in 0..<2 { await server.answerWaiting() }
    #expect(await peer.read { $0.messages.count >= 3 }.messages.map(\.body) == ["a", "b", "c"])
    await peer.close()
  }

  @Test func everySplit() async throws {
    let server = try await Server()
    let text = Array((post("/echo", "hello")).utf8)
    let peer = try await RawPeer.connect(to: server.address)
    for (count, split) in (1..<text.count).enumerated() {
      try await peer.send(Array(text[..<split]))
      try await peer.send(Array(text[split...]))
      #expect(await peer.read { $0.messages.count > count }.messages.last?.body == "hello")
    }
    await peer.close()
  }

  @Test func chunkedBodies() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
    for chunk in ["hello ", "chunked ", "world"] {
      try await peer.send("\(String(chunk.utf8.count, radix: 16))\r\n\(chunk)\r\n")
    }
    try await peer.send("0\r\n\r\n")
    #expect(await peer.read { $0.messages.count >= 1 }.messages.first?.body == "hello chunked world")
    await peer.close()
  }

  @Test func expectContinue() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
    let go = await peer.read { $0.messages.count >= 1 }
    #expect(go.messages.map(\.status) == [100])
    try await peer.send("hi")
    #expect(await peer.read { $0.messages.count >= 2 }.messages.last?.body == "hi")
    // Nobody waits for a body that is not wanted: there is no 100, and the connection ends.
    try await peer.send("POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
    let refused = await peer.read { $0.messages.count >= 3 }
    #expect(refused.messages.map(\.status) == [100, 200, 413])
    #expect(refused.messages.last?.headers["connection"] == "close")
    await peer.close()
  }

  @Test func headHasNoBody() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send("HEAD /big/3 HTTP/1.1\r\nhost: a\r\n\r\n" + post("/echo", "next"))
    let text = await peer.read { $0.text.hasSuffix("next") }.text
    let messages = HTTP1Message.all(in: Array(text.utf8), isHead: true)
    #expect(messages.first?.headers["content-length"] == "3")
    #expect(!text.contains("BBB"))
    await peer.close()
  }

  @Test func connectionCloseIsHonoured() async throws {
    let server = try await Server()
    for request in [
      post("/echo", "x", headers: "connection: close\r\n"), post("/close", "x"),
      "POST /echo HTTP/1.0\r\ncontent-length: 1\r\n\r\nx",
      post("/echo", "x", headers: "connection: upgrade\r\nupgrade: h2c\r\n"),
    ] {
      let peer = try await RawPeer.connect(to: server.address)
      // What is sent behind it is not served and does not disturb the answer.
      try await peer.send(request + post("/echo", "not served"))
      let seen = await peer.readToEnd()
      #expect(seen.messages.map(\.body) == ["x"])
      #expect(seen.messages.first?.headers["connection"] == "close")
      #expect(seen.failure == nil)
      await peer.close()
    }
    #expect(server.journal.state.begun.count == 4)
  }

  /// A client that reads only when it has sent everything still gets to read the answer that came long before.
  @Test(arguments: ["/early", "/mid"]) func anEarlyAnswerIsRead(_ path: String) async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.setReading(false)
    let size = 16 << 20
    try await peer.send("POST \(path) HTTP/1.1\r\nhost: a\r\ncontent-length: \(size)\r\n\r\n")
    let piece = [UInt8](repeating: 65, count: 1 << 20)
    for _ in 0..<16 { try await peer.send(piece) }
    try await peer.setReading(true)
    let seen = await peer.readToEnd()
    #expect(seen.messages.map(\.status) == [413])
    #expect(seen.messages.first?.headers["connection"] == "close")
    #expect(seen.failure == nil)
    await peer.close()
  }

  @Test func garbageIs400() async throws {
    let server = try await Server()
    for garbage in [
      "GARBAGE\r\n\r\n", "POST /x HTTP/1.1\r\nbad header\r\n\r\n", "\0\0\0\0", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    ] {
      let peer = try await RawPeer.connect(to: server.address)
      try await peer.send(garbage)
      #expect(await peer.readToEnd().messages.map(\.status) == [400], "\(garbage)")
      await peer.close()
    }
    #expect(server.closed["http1_protocol_error"] == 4)
    #expect(server.journal.state.begun.isEmpty)
  }

  @Test func garbageInABodyEndsTheRequest() async throws {
    let server = try await Server()
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nnot a chunk\r\n")
    #expect(await peer.readToEnd().messages.map(\.status) == [400])
    await server.journal.wait { $0.cancelled == ["/echo"] && $0.alive == 0 }
    // A request that has its answer already does not get another.
    let early = try await RawPeer.connect(to: server.address)
    try await early.send("POST /early HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nnot a chunk\r\n")
    #expect(await early.readToEnd().messages.map(\.status) == [413])
    await peer.close()
    await early.close()
  }

  @Test func headersHaveALimit() async throws {
    let server = try await Server(http2: HTTP2Limits(headerBytesMax: 1000, headerFieldsMax: 10))
    func answer(_ headers: String) async throws -> Int? {
      let peer = try await RawPeer.connect(to: server.address)
      try await peer.send("POST /echo HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\(headers)\r\n")
      let seen = await peer.readToEnd()
      await peer.close()
      return seen.messages.first?.status
    }
    // Two fields and 39 bytes stand there already, the path included.
    #expect(try await answer("a: " + String(repeating: "b", count: 940) + "\r\n") == 200)
    #expect(try await answer("a: " + String(repeating: "b", count: 1000) + "\r\n") == 431)
    #expect(try await answer((0..<8).map { "a\($0): b\r\n" }.joined()) == 200)
    #expect(try await answer((0..<9).map { "a\($0): b\r\n" }.joined()) == 431)
  }

  @Test func aHalfClosedPeerGetsItsAnswer() async throws {
    let server = try await Server()
    for path in ["/echo", "/later"] {
      let peer = try await RawPeer.connect(to: server.address)
      try await peer.send(post(path, "bye"))
      try await peer.closeOutput()
      if path == "/later" { await server.answerWaiting() }
      let seen = await peer.readToEnd()
      #expect(seen.messages.map(\.body) == ["bye"])
      #expect(seen.failure == nil)
      await peer.close()
    }
  }

  @Test func aPeerThatLeavesIsForgotten() async throws {
    let server = try await Server()
    let idle = try await RawPeer.connect(to: server.address)
    try await idle.send(post("/echo", "x"))
    await idle.read { $0.messages.count == 1 }
    try await idle.closeOutput()
    #expect(await idle.readToEnd().failure == nil)
    let inBody = try await RawPeer.connect(to: server.address)
    try await inBody.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf")
    await server.journal.wait { $0.receivedBytes == 5 }
    await inBody.close()
    let waiting = try await RawPeer.connect(to: server.address)
    try await waiting.send(post("/never"))
    await server.journal.wait { $0.finished.contains("/never") }
    await waiting.close()
    await server.journal.wait { $0.cancelled.contains("/echo") && $0.alive <= 1 }
    await idle.close()
  }
}
