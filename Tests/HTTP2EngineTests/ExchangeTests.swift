import HTTP2Engine
import Testing

/// Whole exchanges, client against server.
struct ExchangeTests {
  @Test func carriesARequestAndItsAnswerWhole() throws {
    let link = Link()
    link.service.answer = { _ in
      Response(
        status: 200, fields: ["content-type": "application/grpc"], body: [1, 2, 3], trailers: ["grpc-status": "0"])
    }
    let outcome = link.post(
      "/pkg.Service/Call?x=1", fields: ["content-type": "application/grpc", "content-length": "7"],
      prefix: [0, 0, 0, 0, 2],
      body: [8, 9])
    link.settle()
    let request = try #require(link.service.requests.first)
    #expect(request.head.method == "POST")
    #expect(request.head.path == "/pkg.Service/Call?x=1")
    #expect(request.head.version == .http2)
    #expect(request.head.contentLength == 7)
    #expect(request.head.fields.count == 2)
    #expect(request.head.fields.text("content-type") == "application/grpc")
    #expect(request.peer.region == "us-east-1")
    #expect(request.body == [0, 0, 0, 0, 2, 8, 9])
    #expect(request.finishes == 1 && request.cancels == 0)
    let response = try #require(outcome.response)
    #expect(response.status == 200)
    #expect(response.body == [1, 2, 3])
    #expect(response.fields.text("content-type") == "application/grpc")
    #expect(response.trailers.text("grpc-status") == "0")
    #expect(outcome.ends == 1)
    #expect(link.server.activeStreams == 0 && link.client.activeRequests == 0)
  }

  @Test func answersWithoutBodySayContentLengthZero() throws {
    let link = Link()
    let outcome = link.post(body: [1])
    link.settle()
    let response = try #require(outcome.response)
    #expect(response.fields.text("content-length") == "0")
    #expect(response.trailers.count == 0)
  }

  @Test func trailersWithoutBodyAreAnAnswer() throws {
    let link = Link()
    link.service.answer = { _ in Response(status: 200, trailers: ["grpc-status": "12"]) }
    let outcome = link.post(body: [1])
    link.settle()
    #expect(outcome.response?.trailers.text("grpc-status") == "12")
  }

  @Test(arguments: [1, 7, 1000, Int.max])
  func bodiesCrossWindowsInPiecesOfAnySize(pieceMax: Int) throws {
    var limits = HTTP2Limits()
    limits.streamWindow = 100_000
    limits.connectionWindow = 150_000
    let link = Link(server: limits)
    link.pieceMax = pieceMax
    var random = SeededRandom(state: 11)
    let bodies = (0..<3).map { _ in random.bytes(pieceMax == 1 ? 120_000 : 700_001) }
    link.service.answer = { Response(status: 200, body: $0.body.reversed()) }
    let outcomes = bodies.map { link.post(prefix: [9], body: $0) }
    link.settle()
    for (outcome, body) in zip(outcomes, bodies) { #expect(outcome.response?.body == ([9] + body).reversed()) }
    #expect(link.serverFault == nil && link.clientFault == nil)
  }

  @Test func manyRequestsOneAfterAnother() {
    let link = Link()
    for _ in 0..<3000 {
      let outcome = link.post(body: [1, 2, 3])
      link.settle()
      #expect(outcome.response?.status == 200)
    }
    #expect(link.serverFault == nil)
  }

  @Test func answersMayComeLater() throws {
    let link = Link()
    link.service.answer = nil
    var flushes = 0
    link.server.wantsFlush = { flushes += 1 }
    let outcome = link.post(body: [1])
    link.settle()
    #expect(outcome.ends == 0)
    let responder = try #require(link.service.requests.first?.responder)
    responder.respond(Response(status: 202))
    #expect(flushes == 1)
    responder.respond(Response(status: 500))
    link.settle()
    #expect(outcome.response?.status == 202)
    responder.respond(Response(status: 500))
    link.settle()
    #expect(flushes == 1 && outcome.ends == 1)
  }

  @Test func flushIsAskedForOnceBetweenTwoDrains() {
    let link = Link()
    link.service.answer = nil
    for _ in 0..<3 { link.post(body: [1]) }
    link.settle()
    var flushes = 0
    link.server.wantsFlush = { flushes += 1 }
    for request in link.service.requests { request.responder.respond(Response(status: 200)) }
    #expect(flushes == 1)
    link.settle()
    #expect(link.client.activeRequests == 0)
  }

  @Test func drainStopsWhereItIsTold() throws {
    let link = Link()
    link.settle()
    link.post(body: [UInt8](repeating: 1, count: 200_000))
    var count = 0
    let more = try link.client.drain(upTo: 40_000) { count += $0.count }
    #expect(more)
    #expect((40_000..<60_000).contains(count))
  }

  @Test func dataFramesFillOneTLSRecord() throws {
    let link = Link()
    link.settle()
    link.post(body: [UInt8](repeating: 1, count: 100_000))
    var bytes: [UInt8] = []
    try link.client.drain { bytes.append(contentsOf: $0) }
    var (largest, offset) = (0, 0)
    while offset + 9 <= bytes.count {
      let size = 9 + Int(bytes[offset]) << 16 + Int(bytes[offset + 1]) << 8 + Int(bytes[offset + 2])
      largest = max(largest, size)
      offset += size
    }
    #expect(offset == bytes.count)
    #expect(largest == 16_384)
  }

  @Test func clientKeepsToThePeersMaximum() {
    var limits = HTTP2Limits()
    limits.maxConcurrentStreams = 3
    let link = Link(server: limits)
    link.service.answer = nil
    link.settle()
    for _ in 0..<3 { #expect(link.post().id != nil) }
    #expect(!link.client.canSubmit)
    #expect(link.post().id == nil)
    link.settle()
    link.service.requests[0].responder.respond(Response(status: 200))
    link.settle()
    #expect(link.client.canSubmit)
  }

  @Test func completionMaySubmitAgain() {
    let link = Link()
    var done = 0
    func next(_ left: Int) {
      let request = ClientRequest(method: "POST", scheme: "http", authority: "a", path: "/")
      link.client.submit(request, body: [1]) { _ in
        done += 1
        if left > 0 { next(left - 1) }
      }
    }
    next(50)
    link.settle()
    #expect(done == 51)
  }
}
