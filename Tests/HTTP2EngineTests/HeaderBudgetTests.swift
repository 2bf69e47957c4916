import HTTP2Engine
import Testing

/// Limits on header lists, crossed by one.
struct HeaderBudgetTests {
  /// What `Frame.request` itself has: four fields.
  private static let ownBytes = (7 + 4) + (7 + 4) + (10 + 1) + (5 + 1) + 4 * 32

  private func status(_ peer: RawClient) -> String? {
    // ":status: 200" is static entry 8 of HPACK; others come as literals.
    guard let first = peer.frames(1, stream: 1).first else { return nil }
    if first.payload.first == 0x88 { return "200" }
    return String(decoding: first.payload, as: UTF8.self)
  }

  @Test(arguments: [(0, true), (1, false)])
  func bytes(excess: Int, isServed: Bool) throws {
    let peer = RawClient(limits: HTTP2Limits(headerBytesMax: 1000))
    peer.greet()
    let value = 1000 - Self.ownBytes - 32 - 1 + excess
    peer.send(Frame.request(1, extra: [("x", String(repeating: "v", count: value))]))
    #expect(peer.service.requests.count == (isServed ? 1 : 0))
    #expect(peer.fault == nil)
    #expect((status(peer) == "200") == isServed)
    #expect(peer.server.activeStreams == 0)
  }

  @Test(arguments: [(0, true), (1, false)])
  func count(excess: Int, isServed: Bool) {
    let peer = RawClient(limits: HTTP2Limits(headerFieldsMax: 20))
    peer.greet()
    peer.send(Frame.request(1, extra: (0..<16 + excess).map { ("x\($0)", "") }))
    #expect(peer.service.requests.count == (isServed ? 1 : 0))
    #expect((status(peer) == "200") == isServed)
  }

  @Test func overBudgetIsToldWith431AndTheConnectionLives() throws {
    let link = Link(server: HTTP2Limits(headerFieldsMax: 10))
    var fields = HeaderFields()
    for index in 0..<20 { fields.append(name: "x\(index)", value: "y") }
    let outcome = link.post(fields: fields, body: [UInt8](repeating: 1, count: 100_000))
    link.settle()
    #expect(outcome.response?.status == 431)
    let next = link.post(body: [1])
    link.settle()
    #expect(next.response?.status == 200)
  }

  @Test func headerBombIsReset() {
    let peer = RawClient(limits: HTTP2Limits(headerBytesMax: 4000))
    peer.greet()
    // One entry of the dynamic table, then many references to it at a byte each.
    let value = String(repeating: "a", count: 3000)
    var block = Frame.literal(":method", "GET") + Frame.literal(":scheme", "http") + Frame.literal(":path", "/")
    var indexed = Frame.literal("x", value)
    indexed[0] = 0x40
    block += indexed + [UInt8](repeating: 0xbe, count: 10_000)
    peer.send(Frame.make(1, flags: 5, stream: 1, block))
    #expect(peer.frames(3).map(\.code) == [11])
    #expect(peer.service.requests.isEmpty)
    // HPACK's state is whole.
    peer.send(Frame.request(3))
    #expect(peer.service.requests.count == 1)
  }

  @Test func trailersAreReadAndIgnored() throws {
    let peer = RawClient()
    peer.greet()
    peer.send(
      Frame.request(1, end: false) + Frame.data(1, [1]) + Frame.headers(1, [("grpc-x", "y")], end: true))
    let request = try #require(peer.service.requests.first)
    #expect(request.finishes == 1 && request.body == [1])
    #expect(request.head.fields["grpc-x"] == nil)
  }

  @Test func trailersOverBudgetResetTheStream() throws {
    let peer = RawClient(limits: HTTP2Limits(headerFieldsMax: 10))
    peer.greet()
    peer.send(
      Frame.request(1, end: false) + Frame.headers(1, (0..<11).map { ("x\($0)", "y") }, end: true))
    #expect(try #require(peer.service.requests.first).cancels == 1)
    #expect(peer.frames(3).map(\.code) == [11])
  }

  @Test func responsesOverBudgetFailAsTooLarge() {
    let link = Link(client: HTTP2ClientLimits(headerFieldsMax: 5))
    link.service.answer = { _ in
      var fields = HeaderFields()
      for index in 0..<5 { fields.append(name: "x\(index)", value: "y") }
      return Response(status: 200, fields: fields)
    }
    let outcome = link.post(body: [1])
    link.settle()
    #expect(outcome.failure == .tooLarge)
    #expect(link.client.activeRequests == 0)
  }

  @Test(arguments: [(1000, true), (1001, false)])
  func responseBodies(count: Int, fits: Bool) {
    let link = Link(client: HTTP2ClientLimits(responseBytesMax: 1000))
    link.service.answer = { _ in Response(status: 200, body: [UInt8](repeating: 1, count: count)) }
    let outcome = link.post(body: [1])
    link.settle()
    #expect(outcome.response?.body.count == (fits ? count : nil))
    #expect(outcome.failure == (fits ? nil : .tooLarge))
  }

  @Test func responseBodiesOfAConnectionShareTheLimit() throws {
    let client = HTTP2Client(limits: HTTP2ClientLimits(responseBytesMax: 1000))
    func feed(_ bytes: [UInt8]) throws {
      try client.drain { _ in }
      try bytes.withUnsafeBytes { try client.receive($0, now: 1) }
      try client.drain { _ in }
    }
    try feed(Frame.settings())
    let part = [UInt8](repeating: 1, count: 501)
    // What has ended, one way or another, makes room again.
    for id: UInt32 in [1, 5, 9] {
      var results: [Result<ClientResponse, ClientFailure>] = []
      for _ in 0..<2 {
        client.submit(ClientRequest(method: "GET", scheme: "http", authority: "a", path: "/")) { results.append($0) }
      }
      try feed(Frame.response(id, end: false) + Frame.data(id, part) + Frame.response(id + 2, end: false))
      #expect(results.isEmpty)
      try feed(Frame.data(id + 2, part))
      #expect(results.count == 1)
      #expect(throws: ClientFailure.tooLarge) { try results.first?.get() }
      try feed(id == 1 ? Frame.reset(id) : Frame.data(id, Array(part.dropLast(2)), end: true))
      #expect((try? results.last?.get())?.body.count == (id == 1 ? nil : 1000))
      #expect(results.count == 2)
    }
  }

  @Test(arguments: [("x", "GET"), ("*", "GET"), ("http://a/", "POST")])
  func pathsWithoutSlashAreRefused(path: String, method: String) throws {
    let peer = RawClient()
    peer.greet()
    peer.send(
      Frame.headers(
        1, [(":method", method), (":scheme", "weird"), (":authority", "a"), (":path", path)], end: true))
    #expect(peer.service.requests.isEmpty)
    #expect(peer.frames(1, stream: 1).count + peer.frames(3, stream: 1).count >= 1)
    #expect(status(peer) != "200")
  }

  @Test func asteriskIsForOptions() throws {
    let peer = RawClient()
    peer.greet()
    peer.send(Frame.request(1, path: "*", method: "OPTIONS"))
    #expect(peer.service.requests.first?.head.path == "*")
  }

  @Test(arguments: [("12", 12), ("0", 0), ("9223372036854775807", Int.max)])
  func contentLengths(text: String, number: Int) throws {
    let peer = RawClient()
    peer.greet()
    peer.send(Frame.request(1, extra: [("content-length", text)], end: false))
    #expect(try #require(peer.service.requests.first).head.contentLength == number)
  }
}
