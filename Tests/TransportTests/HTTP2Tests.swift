import HTTP2Engine
import TLSEngine
import Testing
import Transport

@Suite(.timeLimit(.minutes(2))) struct HTTP2Tests {
  private static func noise(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) } }

  @Test(arguments: [ListenerOptions.Protocols.http2, .http1AndHTTP2], [true, false])
  func requestsAndAnswers(_ protocols: ListenerOptions.Protocols, _ isSecure: Bool) async throws {
    let certificates = try Certificates.made.get()
    let names = protocols == .http2 ? ["h2"] : ["h2", "http/1.1"]
    let server = try await Server(
      protocols, tls: isSecure ? certificates.serverContext(protocols: names) : nil)
    let upstream = try await Upstream(server.address, tls: isSecure ? certificates.clientContext() : nil)
    #expect(await upstream.up().ups == 1)
    let big = Self.noise(5 << 20)
    for (index, body) in [[], [1], Self.noise(70_000), big].enumerated() {
      try await upstream.submit("\(index)", prefix: [9, 9], body: body)
    }
    let life = await upstream.answer("0", "1", "2", "3")
    #expect(try life.answers["0"]?.get().body == [9, 9])
    #expect(try life.answers["1"]?.get().body == [9, 9, 1])
    #expect(try life.answers["2"]?.get().body == [9, 9] + Self.noise(70_000))
    // Past the limit of a client's patience with answers, not of the request.
    #expect(life.failure("3") == .tooLarge)
    #expect(server.journal.state.receivedBytes == 2 * 4 + 1 + 70_000 + (5 << 20))
    #expect(life.downs.isEmpty)
    try await upstream.close()
    await server.journal.wait { $0.alive == 0 }
  }

  @Test func trailersComeThrough() async throws {
    let server = try await Server(.http2)
    let upstream = try await Upstream(server.address)
    await upstream.up()
    try await upstream.submit("a", path: "/trailers", body: [1, 2])
    let response = try await upstream.answer("a").answers["a"]?.get()
    #expect(response?.body == [1, 2])
    #expect(response?.trailers.text("grpc-status") == "0")
    try await upstream.close()
  }

  @Test func answersThatComeLater() async throws {
    let server = try await Server(.http2)
    let upstream = try await Upstream(server.address)
    await upstream.up()
    try await upstream.submit("a", path: "/later", body: [1])
    try await upstream.submit("b", body: [2])
    #expect(try await upstream.answer("b").answers["b"]?.get().body == [2])
    await server.answerWaiting()
    #expect(try await upstream.answer("a").answers["a"]?.get().body == [1])
    try await upstream.close()
  }

  @Test func anAnswerBeforeTheBody() async throws {
    let server = try await Server(.http2)
    let upstream = try await Upstream(server.address)
    await upstream.up()
    try await upstream.submit("early", path: "/early", body: Self.noise(3 << 20))
    #expect(await upstream.answer("early").status("early") == 413)
    try await upstream.submit("mid", path: "/mid", body: Self.noise(3 << 20))
    #expect(await upstream.answer("mid").status("mid") == 413)
    // The connection goes on.
    try await upstream.submit("next", body: [1])
    #expect(await upstream.answer("next").status("next") == 200)
    try await upstream.close()
  }

  @Test func whoeverIsCalledOffIsForgotten() async throws {
    let server = try await Server(.http2)
    let upstream = try await Upstream(server.address)
    await upstream.up()
    try await upstream.submit("a", path: "/later", body: [1])
    await server.journal.wait { !$0.waiting.isEmpty }
    try await upstream.cancel("a")
    #expect(await upstream.answer("a").failure("a") == .reset(code: 8))
    try await upstream.submit("b", body: [1])
    #expect(await upstream.answer("b").status("b") == 200)
    // The answer to what was called off goes nowhere.
    await server.answerWaiting()
    try await upstream.submit("c", body: [1])
    #expect(await upstream.answer("c").status("c") == 200)
    try await upstream.close()
  }

  @Test func aLostConnectionCancelsWhatIsIncomplete() async throws {
    let server = try await Server(.http2)
    let client = HTTP2Client()
    let peer = try await RawPeer.connect(to: server.address)
    client.submit(
      ClientRequest(method: "POST", scheme: "http", authority: "a", path: "/echo"),
      body: [UInt8](repeating: 1, count: 9)
    ) { _ in }
    let bytes = try client.bytes()
    // All but the last bytes of the body.
    try await peer.send(Array(bytes.dropLast(3)))
    await server.journal.wait { $0.receivedBytes == 6 }
    await peer.close()
    await server.journal.wait { $0.cancelled == ["/echo"] && $0.alive == 0 }
  }

  @Test func aHalfClosedPeerGetsItsAnswers() async throws {
    let server = try await Server(.http2)
    let client = HTTP2Client()
    let answers = Witness<[Int]>([])
    func request(_ path: String) {
      let head = ClientRequest(method: "POST", scheme: "http", authority: "a", path: path)
      client.submit(head, body: [1, 2, 3]) { result in
        answers.change { $0.append((try? result.get().status) ?? -1) }
      }
    }
    request("/later")
    var bytes = try client.bytes()
    request("/echo")
    bytes += try client.bytes().dropLast(2)
    let peer = try await RawPeer.connect(to: server.address)
    try await peer.send(bytes)
    try await peer.closeOutput()
    // What can never be complete is given up at once, what is complete is answered.
    await server.journal.wait { $0.cancelled == ["/echo"] }
    await server.answerWaiting()
    let seen = await peer.readToEnd()
    #expect(seen.failure == nil)
    try? seen.bytes.withUnsafeBytes { try client.receive($0, now: 1) }
    client.connectionLost()
    #expect(answers.state.sorted() == [-1, 200])
    await peer.close()
  }

  @Test func anAbusiveClientIsToldAndCutOff() async throws {
    let server = try await Server(.http2)
    let peer = try await RawPeer.connect(to: server.address)
    let client = HTTP2Client()
    try await peer.send(try client.bytes())
    let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    for _ in 0..<100 {
      guard (try? await peer.send([[UInt8]](repeating: ping, count: 200).flatMap { $0 })) != nil else { break }
    }
    let seen = await peer.readToEnd()
    #expect(Array(seen.bytes.suffix(17).prefix(9)) == [0, 0, 8, 7, 0, 0, 0, 0, 0], "GOAWAY is the last that comes")
    #expect(seen.bytes.suffix(4) == [0, 0, 0, 11], "ENHANCE_YOUR_CALM")
    #expect(server.closed["http2_ping_flood"] == 1, "\(server.closed)")
    await peer.close()
  }

  @Test func manyBigAnswersFillTheWayBack() async throws {
    let server = try await Server(.http2, http2: HTTP2Limits(maxConcurrentStreams: 1000))
    let upstream = try await Upstream(server.address, limits: HTTP2ClientLimits(connectionWindow: .max))
    await upstream.up()
    for index in 0..<100 { try await upstream.submit("\(index)", path: "/big/1000000") }
    let life = await upstream.life.wait { $0.answers.count == 100 }
    #expect(life.answers.values.allSatisfy { (try? $0.get().body.count) == 1_000_000 })
    try await upstream.close()
  }
}

extension HTTP2Client {
  /// All that there is to say.
  func bytes() throws -> [UInt8] {
    var bytes: [UInt8] = []
    try drain { bytes += $0 }
    return bytes
  }
}
