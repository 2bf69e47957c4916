import HTTP2Engine
import Testing

/// Peers that make work and do none: each of them is hung up on, with a GOAWAY that says why.
struct AbuseTests {
  private func expectCaught(_ peer: RawClient, _ kind: HTTP2Fault.Kind) {
    #expect(peer.fault?.kind == kind)
    peer.drain()
    #expect(peer.goAwayCode == 11)
    #expect(peer.server.isDone)
    // A connection at fault does nothing more.
    let requests = peer.service.requests.count
    peer.send(Frame.request(0x7fff_fffd))
    #expect(peer.service.requests.count == requests)
  }

  @Test(arguments: [
    (Frame.ping(), HTTP2Fault.Kind.pings, 2000),
    (Frame.ping(ack: true), .pings, 2000),
    (Frame.settings(), .settings, 500),
    (Frame.make(2, stream: 3, [0, 0, 0, 0, 16]), .priorities, 2000),
    (Frame.make(16, [0, 0, 0, 3, 0x75]), .priorities, 2000),
    (Frame.windowUpdate(0, 1), .windowUpdates, 2000),
    (Frame.windowUpdate(1, 1), .windowUpdates, 2000),
    (Frame.data(1), .emptyData, 2000),
    (Frame.make(0, flags: 8, stream: 1, [3, 0, 0, 0]), .emptyData, 2000),
    (Frame.make(0xfa), .unknownFrames, 2000),
    (Frame.make(10, [0, 0]), .unknownFrames, 2000),
    (Frame.goAway(last: 0), .goAways, 500),
  ])
  func floods(frame: [UInt8], kind: HTTP2Fault.Kind, within: Int) {
    let peer = RawClient()
    peer.greet()
    peer.send(Frame.request(1, end: false))
    let took = peer.flood(upTo: 5000) { _ in frame }
    #expect((within - 20...within + 1).contains(took), "\(kind) took \(took)")
    expectCaught(peer, kind)
  }

  @Test func floodsInOnePieceAreSeenBeforeTheyAreWorkedOn() {
    let peer = RawClient()
    peer.greet()
    peer.seen = []
    peer.send((0..<5000).flatMap { _ in Frame.ping() })
    expectCaught(peer, .pings)
    #expect(peer.frames(6).isEmpty)
  }

  @Test func floodsInSinglebytesAreSeen() {
    let peer = RawClient()
    peer.greet()
    let frame = Frame.make(0xfa, [1, 2, 3])
    for index in 0..<(5000 * frame.count) where peer.fault == nil { peer.send([frame[index % frame.count]]) }
    expectCaught(peer, .unknownFrames)
  }

  @Test func rapidReset() {
    let peer = RawClient()
    peer.greet()
    let took = peer.flood(upTo: 3000) { index in
      let id = UInt32(index * 2 + 1)
      return Frame.request(id, end: false) + Frame.reset(id)
    }
    #expect((380...401).contains(took))
    expectCaught(peer, .resets)
    #expect(peer.service.requests.allSatisfy { $0.cancels == 1 })
  }

  /// MadeYouReset (CVE-2025-8671): the peer makes us send the RST_STREAM.
  @Test(arguments: ["content-length", "window", "uppercase", "self-window", "connection-field", "late trailers"])
  func madeYouReset(way: String) {
    let peer = RawClient(limits: HTTP2Limits(streamWindow: 10))
    peer.service.consumes = false
    peer.greet()
    let took = peer.flood(upTo: 3000) { index in
      let id = UInt32(index * 2 + 1)
      switch way {
      case "content-length":
        return Frame.request(id, extra: [("content-length", "5")], end: false) + Frame.data(id, [1], end: true)
      case "window":
        return Frame.request(id, end: false) + Frame.data(id, [UInt8](repeating: 1, count: 11))
      case "uppercase":
        return Frame.request(id, extra: [("X-Big", "1")])
      case "self-window":
        return Frame.request(id, end: false) + Frame.windowUpdate(id, 0x7fff_ffff)
      case "connection-field":
        return Frame.request(id, extra: [("transfer-encoding", "chunked")])
      default:
        return Frame.request(id, end: false) + Frame.headers(id, [("x", "y")], end: false)
      }
    }
    #expect((200...240).contains(took), "\(way) took \(took)")
    expectCaught(peer, .provokedResets)
    #expect(peer.service.requests.allSatisfy { $0.cancels == 1 || $0.finishes == 0 })
  }

  @Test func halfClosedStreamsTakeNoMore() {
    let peer = RawClient()
    peer.service.answer = nil
    peer.greet()
    peer.send(Frame.request(1) + Frame.data(1, [1]))
    #expect(peer.goAwayCode == 5)
    #expect(peer.server.isDone)
  }

  @Test func continuationFlood() {
    let peer = RawClient()
    peer.greet()
    peer.send(Frame.make(1, flags: 1, stream: 1, Frame.literal(":method", "GET")))
    let took = peer.flood(upTo: 3000) { _ in Frame.make(9, stream: 1, Frame.literal("x", "y")) }
    #expect(took < 20)
    #expect(peer.fault?.kind == .continuations)
    #expect(peer.server.isDone)
  }

  @Test func streamsPastTheMaximumBeforeSettingsAreKnown() {
    let peer = RawClient(limits: HTTP2Limits(maxConcurrentStreams: 5))
    peer.service.answer = nil
    peer.send(Frame.preface + Frame.settings())
    let took = peer.flood(upTo: 3000) { Frame.request(UInt32($0 * 2 + 1)) }
    #expect(peer.service.requests.count == 5)
    #expect((650...700).contains(took), "\(took)")
    expectCaught(peer, .refusedStreams)
  }

  @Test func streamsPastTheMaximumAreAConnectionError() {
    let peer = RawClient(limits: HTTP2Limits(maxConcurrentStreams: 5))
    peer.service.answer = nil
    peer.greet()
    for index in 0..<6 { peer.send(Frame.request(UInt32(index * 2 + 1))) }
    #expect(peer.service.requests.count == 5)
    #expect(peer.fault?.kind == .protocolError)
    #expect(peer.server.isDone)
  }

  @Test func peerThatDoesNotReadFillsTheQueue() {
    let peer = RawClient(limits: HTTP2Limits(outboundFramesMax: 100))
    peer.greet()
    for index in 0..<200 where peer.fault == nil {
      peer.send(Frame.ping(), draining: false)
      if index == 99 { #expect(peer.fault == nil) }
      if index == 100 { #expect(peer.fault?.kind == .outboundQueueFull) }
    }
    expectCaught(peer, .outboundQueueFull)
  }

  @Test func budgetComesBackWithTime() {
    let peer = RawClient()
    peer.greet()
    for _ in 0..<100 {
      #expect(peer.flood(upTo: 200) { _ in Frame.ping() } == 200)
      peer.now += 1_000_000_000
    }
    #expect(peer.fault == nil)
  }

  @Test func badPrefaces() {
    let peer = RawClient()
    peer.send(Array("GET / HTTP/1.1\r\nhost: a\r\n\r\n".utf8))
    #expect(peer.fault?.kind == .badPreface)
    #expect(peer.server.isDone)
  }

  @Test func connectionErrorsAreThrownBehindTheGoAway() {
    let peer = RawClient()
    peer.greet()
    peer.send(Frame.data(0, [1]))
    #expect(peer.fault == nil || peer.fault?.kind == .protocolError)
    #expect(peer.fault?.code == 1)
    #expect(peer.goAwayCode == 1)
    #expect(peer.server.isDone)
  }

  // MARK: The other side

  @Test(arguments: [Frame.ping(), Frame.settings(), Frame.windowUpdate(0, 1), Frame.make(0xfa), Frame.goAway(last: 1)])
  func clientHangsUpOnFloods(frame: [UInt8]) throws {
    let client = HTTP2Client()
    try client.drain { _ in }
    var fault: HTTP2Fault?
    var count = 0
    client.submit(ClientRequest(method: "GET", scheme: "http", authority: "a", path: "/")) { _ in }
    try client.drain { _ in }
    func feed(_ bytes: [UInt8]) {
      do throws(HTTP2Fault) {
        let result = bytes.withUnsafeBytes { raw in
          Result { () throws(HTTP2Fault) in try client.receive(raw, now: 1) }
        }
        try result.get()
        try client.drain { _ in }
      } catch {
        fault = error
      }
    }
    feed(Frame.settings())
    while fault == nil, count < 5000 {
      feed(frame)
      count += 1
    }
    #expect(fault?.code == 0)
    #expect((480...2001).contains(count))
    #expect(!client.canSubmit)
  }
}
