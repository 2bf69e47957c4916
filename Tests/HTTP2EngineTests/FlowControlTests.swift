import HTTP2Engine
import Testing

/// Windows open as bytes are consumed, and never leak.
struct FlowControlTests {
  private func smallWindows() -> HTTP2Limits {
    HTTP2Limits(streamWindow: 100_000, connectionWindow: 150_000)
  }

  @Test func senderStallsWhereNothingIsConsumed() throws {
    let link = Link(server: smallWindows())
    link.service.consumes = false
    link.settle()
    let outcome = link.post(body: [UInt8](repeating: 1, count: 300_000))
    link.settle()
    let request = try #require(link.service.requests.first)
    #expect(request.body.count == 100_000)
    #expect(outcome.ends == 0)
    // Half a window consumed opens it; one byte less does not.
    request.responder.consumed(49_999)
    link.settle()
    #expect(request.body.count == 100_000)
    request.responder.consumed(1)
    link.settle()
    #expect(request.body.count == 150_000)
    while request.finishes == 0 {
      let before = request.body.count
      request.responder.consumed(100_000)
      link.settle()
      try #require(request.body.count > before)
    }
    #expect(outcome.response?.status == 200)
  }

  @Test func creditFromOutsideAsksForAFlush() throws {
    let link = Link(server: smallWindows())
    link.service.consumes = false
    link.settle()
    link.post(body: [UInt8](repeating: 1, count: 300_000))
    link.settle()
    var flushes = 0
    link.server.wantsFlush = { flushes += 1 }
    let request = try #require(link.service.requests.first)
    request.responder.consumed(10)
    #expect(flushes == 0)
    request.responder.consumed(60_000)
    #expect(flushes == 1)
  }

  @Test func connectionWindowIsSharedByStreams() {
    let link = Link(server: smallWindows())
    link.service.consumes = false
    link.settle()
    for _ in 0..<3 { link.post(body: [UInt8](repeating: 1, count: 90_000)) }
    link.settle()
    #expect(link.service.requests.map(\.body.count).reduce(0, +) == 150_000)
  }

  @Test func theClientSaysWhenABodyHasLeft() throws {
    let link = Link(server: HTTP2Limits(streamWindow: 100_000, connectionWindow: 1_000_000))
    link.service.consumes = false
    link.settle()
    let large = [UInt8](repeating: 1, count: 100_001)
    let (small, late, called) = (link.post(body: [1]), link.post(body: large), link.post(body: large))
    #expect(small.sents == 0)
    link.settle()
    #expect([small, late, called].map(\.sents) == [1, 0, 0])
    try #require(link.service.requests.dropFirst().first).responder.consumed(100_000)
    link.settle()
    #expect(late.sents == 1)
    link.client.cancel(try #require(called.id))
    link.settle()
    #expect(called.sents == 0 && called.ends == 1, "what ends before was never sent")
  }

  @Test func theOutputIsFreeWhereTheNextBodyWouldLeave() throws {
    let link = Link(server: smallWindows())
    link.service.consumes = false
    link.settle()
    #expect(link.client.isOutputFree)
    link.post(body: [UInt8](repeating: 1, count: 100_001))
    #expect(!link.client.isOutputFree, "it waits to be drained")
    link.settle()
    #expect(link.client.isOutputFree, "its own window holds up no other stream")
    link.post(body: [UInt8](repeating: 1, count: 50_001))
    link.settle()
    #expect(!link.client.isOutputFree, "the window of the connection is used up")
    for request in link.service.requests { request.responder.consumed(.max) }
    link.settle()
    #expect(link.client.isOutputFree)
  }

  @Test func noMoreIsCreditedThanCame() throws {
    let link = Link(server: smallWindows())
    link.service.consumes = false
    link.settle()
    link.post(body: [UInt8](repeating: 1, count: 300_000))
    link.settle()
    let request = try #require(link.service.requests.first)
    request.responder.consumed(.max)
    request.responder.consumed(-5)
    request.responder.consumed(.min)
    link.settle()
    #expect(request.body.count == 200_000)
    #expect(link.serverFault == nil)
  }

  /// Every way a stream can end gives its unconsumed bytes back to the connection.
  @Test(arguments: ["answered", "early", "reset", "cancelled"])
  func windowsNeverLeak(way: String) throws {
    let link = Link(server: smallWindows())
    link.service.consumes = false
    link.settle()
    for round in 0..<40 {
      let outcome = link.post(body: [UInt8](repeating: 1, count: way == "answered" ? 80_000 : 120_000))
      link.settle()
      let request = try #require(link.service.requests.last)
      try #require(request.body.count == (way == "answered" ? 80_000 : 100_000), "round \(round)")
      switch way {
      case "early": request.responder.respond(Response(status: 413))
      case "reset", "cancelled": link.client.cancel(try #require(outcome.id))
      default: break
      }
      link.settle()
      #expect(outcome.ends == 1)
      #expect(link.server.activeStreams == 0)
    }
    #expect(link.serverFault == nil)
  }
}
