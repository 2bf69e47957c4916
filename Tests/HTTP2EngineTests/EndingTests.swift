import HTTP2Engine
import Testing

/// Early answers, resets, GOAWAY, lost connections.
struct EndingTests {
  @Test func earlyAnswerStopsTheUpload() throws {
    let link = Link()
    link.service.earlyAnswer = { _ in Response(status: 413, trailers: ["grpc-status": "8"]) }
    link.settle()
    let outcome = link.post(body: [UInt8](repeating: 1, count: 20 << 20))
    link.settle()
    #expect(outcome.response?.status == 413)
    #expect(outcome.response?.trailers.text("grpc-status") == "8")
    #expect(link.toServer < 9 << 20)
    let request = try #require(link.service.requests.first)
    #expect(request.body.isEmpty && request.finishes == 0 && request.cancels == 0)
    #expect(link.post(body: [1]).id != nil)
  }

  @Test func uploadThatGoesOnAfterTheAnswerIsResetWithNoError() {
    let peer = RawClient(limits: HTTP2Limits(streamWindow: 100_000, connectionWindow: 8 << 20))
    peer.service.earlyAnswer = { _ in Response(status: 503, body: [1, 2]) }
    peer.greet()
    peer.send(Frame.request(1, end: false))
    #expect(peer.frames(1, stream: 1).count == 1)
    #expect(peer.frames(0, stream: 1).map(\.flags) == [1])
    // What may have been on its way is borne, one byte more is not.
    for _ in 0..<10 { peer.send(Frame.data(1, [UInt8](repeating: 0, count: 10_000))) }
    #expect(peer.frames(3).isEmpty)
    peer.send(Frame.data(1, [0]))
    #expect(peer.frames(3).map(\.code) == [0])
    #expect(peer.server.activeStreams == 0)
    // What still comes is credited and forgotten.
    for _ in 0..<600 { peer.send(Frame.data(1, [UInt8](repeating: 0, count: 16_384))) }
    #expect(peer.fault == nil)
    #expect(peer.frames(8, stream: 0).count >= 2)
  }

  @Test func answeredUploadsDoNotFillTheConnection() {
    let peer = RawClient(limits: HTTP2Limits(maxConcurrentStreams: 10))
    peer.service.earlyAnswer = { _ in Response(status: 503) }
    peer.greet()
    for index in 0..<300 { peer.send(Frame.request(UInt32(index * 2 + 1), end: false)) }
    #expect(peer.service.requests.count == 300)
    #expect(peer.server.activeStreams == 5)
    #expect(peer.frames(3).allSatisfy { $0.code == 0 })
    #expect(peer.fault == nil)
    peer.server.shutdown()
    peer.drain()
    #expect(peer.server.isDone)
  }

  @Test func theEndOfTheInputLeavesOnlyWhatIsComplete() throws {
    let peer = RawClient()
    peer.service.answer = { _ in nil }
    peer.greet()
    peer.send(Frame.request(1, end: true) + Frame.request(3, end: false) + Frame.data(3, [1]))
    peer.server.inputEnded()
    peer.drain()
    #expect(peer.service.requests.map(\.cancels) == [0, 1])
    #expect(peer.server.activeStreams == 1 && !peer.server.isDone)
    peer.service.requests[0].responder.respond(Response(status: 200))
    peer.drain()
    #expect(peer.frames(1, stream: 1).count == 1)
    #expect(peer.frames(3).map(\.stream) == [3])
    #expect(peer.server.isDone)
  }

  @Test func resetCancelsTheReceiver() throws {
    let peer = RawClient()
    peer.greet()
    peer.send(Frame.request(1, end: false) + Frame.data(1, [1, 2]) + Frame.reset(1))
    let request = try #require(peer.service.requests.first)
    #expect(request.body == [1, 2])
    #expect(request.cancels == 1 && request.finishes == 0)
    request.responder.respond(Response(status: 200))
    peer.drain()
    #expect(peer.frames(1).isEmpty)
    #expect(peer.server.activeStreams == 0)
  }

  @Test func resetAfterTheEndCancelsNothing() throws {
    let peer = RawClient()
    peer.service.answer = nil
    peer.greet()
    peer.send(Frame.request(1) + Frame.reset(1))
    let request = try #require(peer.service.requests.first)
    #expect(request.cancels == 0 && request.finishes == 1)
  }

  @Test func lostConnectionEndsEverything() throws {
    let link = Link()
    link.service.answer = nil
    let outcomes = (0..<3).map { _ in link.post(body: [UInt8](repeating: 1, count: 3 << 20)) }
    link.service.consumes = false
    link.settle()
    link.server.connectionLost()
    link.client.connectionLost()
    #expect(link.service.requests.map(\.cancels) == [1, 1, 1])
    #expect(outcomes.map(\.failure) == [.connectionLost, .connectionLost, .connectionLost])
    for request in link.service.requests {
      request.responder.consumed(5)
      request.responder.respond(Response(status: 200))
    }
    link.settle()
    #expect(outcomes.map(\.ends) == [1, 1, 1])
    #expect(link.server.isDone && link.client.isDone && !link.client.canSubmit)
  }

  @Test func respondersOutliveTheirServer() throws {
    let service = RecordingService()
    var server: HTTP2Server? = HTTP2Server(
      limits: HTTP2Limits(), service: service, peer: PeerIdentity(address: "192.0.2.1"))
    let bytes = Frame.preface + Frame.settings() + Frame.request(1, end: false)
    try bytes.withUnsafeBytes { try server?.receive($0, now: 1) }
    server = nil
    let request = try #require(service.requests.first)
    #expect(request.cancels == 1)
    request.responder.respond(Response(status: 200))
    request.responder.consumed(1)
  }

  @Test func droppedClientCompletesItsRequests() {
    var client: HTTP2Client? = HTTP2Client()
    var failures: [ClientFailure] = []
    let request = ClientRequest(method: "GET", scheme: "http", authority: "a", path: "/")
    client?.submit(request) { if case .failure(let failure) = $0 { failures.append(failure) } }
    client = nil
    #expect(failures == [.connectionLost])
  }

  @Test func shutdownLetsRequestsFinish() throws {
    let link = Link()
    link.service.answer = nil
    let outcome = link.post(body: [1])
    link.settle()
    link.server.shutdown()
    link.settle()
    #expect(!link.client.acceptsNewRequests && !link.client.canSubmit)
    #expect(outcome.ends == 0 && !link.server.isDone)
    try #require(link.service.requests.first).responder.respond(Response(status: 200))
    link.settle()
    #expect(outcome.response?.status == 200)
    #expect(link.server.isDone && link.client.isDone)
  }

  @Test func shutdownServesWhatIsOnItsWay() throws {
    let peer = RawClient()
    peer.service.answer = nil
    peer.greet()
    peer.send(Frame.request(1))
    peer.server.shutdown()
    peer.drain()
    #expect(peer.frames(7).map { $0.number(at: 0) } == [0x7fff_ffff])
    // The client had not seen the notice when it sent this.
    peer.send(Frame.request(3))
    #expect(peer.service.requests.count == 2)
    let ping = try #require(peer.frames(6).first)
    peer.send(Frame.make(6, flags: 1, ping.payload))
    #expect(peer.frames(7).last?.number(at: 0) == 3)
    peer.send(Frame.request(5))
    #expect(peer.service.requests.count == 2)
    for request in peer.service.requests { request.responder.respond(Response(status: 200)) }
    peer.drain()
    #expect(peer.frames(1).map(\.stream) == [1, 3])
    #expect(peer.server.isDone)
  }

  @Test func shutdownOfAnIdleConnectionIsDoneAtOnce() {
    let peer = RawClient()
    peer.greet()
    peer.send(Frame.request(1))
    peer.server.shutdown()
    peer.drain()
    #expect(peer.server.isDone)
    #expect(peer.goAwayCode == 0)
  }

  @Test func shutdownDoesNotWaitForAPongOnceAllIsAnswered() throws {
    let peer = RawClient()
    peer.service.answer = nil
    peer.greet()
    peer.send(Frame.request(1))
    peer.server.shutdown()
    peer.drain()
    try #require(peer.service.requests.first).responder.respond(Response(status: 200))
    peer.drain()
    peer.drain()
    #expect(peer.server.isDone)
  }

  @Test func answerMayCloseTheConnection() {
    let link = Link()
    link.service.answer = { _ in Response(status: 400, closesConnection: true) }
    let outcome = link.post(body: [1])
    link.settle()
    #expect(outcome.response?.status == 400)
    #expect(link.server.isDone && !link.client.acceptsNewRequests)
  }

  @Test func pingIsAnswered() {
    let link = Link()
    var pongs = 0
    link.client.onPong = { pongs += 1 }
    link.client.ping()
    link.settle()
    #expect(pongs == 1)
  }
}
