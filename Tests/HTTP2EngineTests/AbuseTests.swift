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
    #expect(peer.frames(6).count < 2000)
  }

  /// However much is read at once, and whatever frame happens to be the last straw, the fault says what the flood was.
  @Test(arguments: [
    ("rapid reset", HTTP2Fault.Kind.resets), ("content-length", .provokedResets), ("uppercase", .provokedResets),
    ("past the maximum", .refusedStreams), ("never ended", .headers),
  ])
  func floodsInOnePieceAreCalledByTheirName(way: String, kind: HTTP2Fault.Kind) {
    let peer = RawClient(limits: HTTP2Limits(maxConcurrentStreams: way == "never ended" ? 100_000 : 100))
    peer.greet()
    peer.send(
      (0..<8000).flatMap { index -> [UInt8] in
        let id = UInt32(index * 2 + 1)
        switch way {
        case "rapid reset": return Frame.request(id, end: false) + Frame.reset(id)
        case "content-length": return Frame.request(id, extra: [("content-length", "5")])
        case "uppercase": return Frame.request(id, extra: [("X-Big", "1")])
        default: return Frame.request(id, end: false)
        }
      })
    expectCaught(peer, kind)
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
    #expect(took == 9)
    expectCaught(peer, .continuations)
  }

  @Test(arguments: [(8, true), (9, false)]) func continuations(count: Int, areBorne: Bool) {
    let peer = RawClient()
    peer.greet()
    // Those of one block count, not those of the connection.
    for id: UInt32 in [1, 3] {
      let lines = [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
      peer.send(Frame.headers(id, lines, end: true, endHeaders: false))
      for number in 1...count {
        for byte in Frame.make(9, flags: number == count ? 4 : 0, stream: id, Frame.literal("x", "y")) {
          peer.send([byte])
        }
      }
    }
    #expect(peer.fault?.kind == (areBorne ? nil : .continuations))
    #expect(peer.service.requests.count == (areBorne ? 2 : 0))
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

  @Test func aStreamPastTheMaximumIsRefusedAlone() throws {
    let peer = RawClient(limits: HTTP2Limits(maxConcurrentStreams: 5))
    peer.service.answer = nil
    peer.greet()
    let settings = try #require(peer.frames(4).first)
    #expect(
      stride(from: 0, to: settings.payload.count, by: 6).compactMap { entry in
        settings.payload[entry + 1] == 3 ? settings.number(at: entry + 2) : nil
      } == [5])
    for index in 0..<6 { peer.send(Frame.request(UInt32(index * 2 + 1), end: false)) }
    #expect(peer.service.requests.count == 5)
    #expect(peer.frames(3).map { [$0.stream, $0.code] } == [[11, 7]])
    #expect(peer.server.takeRefusals().counts == [.tooManyStreams: 1])
    #expect(peer.server.takeRefusals().counts.isEmpty)
    // Each that is over makes room for one.
    peer.send(Frame.reset(3))
    peer.send(Frame.request(13))
    #expect(peer.service.requests.count == 6)
    #expect(peer.fault == nil)
  }

  @Test(arguments: [
    ("nothing", nil), ("upper case", StreamRefusals.Reason.malformed), ("path", .malformed),
    ("content-length", .malformed), ("window", .flowControl), ("list", .headerListTooLarge),
    ("bomb", .headerListTooLarge), ("cancelled", nil),
  ])
  func refusalsAreCounted(what: String, reason: StreamRefusals.Reason?) {
    let peer = RawClient(limits: HTTP2Limits(headerBytesMax: 1000))
    peer.greet()
    switch what {
    case "upper case": peer.send(Frame.request(1, extra: [("X", "y")]))
    case "path": peer.send(Frame.headers(1, [(":method", "CONNECT"), (":authority", "a")], end: true))
    case "content-length": peer.send(Frame.request(1, extra: [("content-length", "1")]))
    case "window": peer.send(Frame.request(1, end: false) + Frame.windowUpdate(1, 0x7fff_ffff))
    case "list": peer.send(Frame.request(1, extra: [("x", String(repeating: "v", count: 1000))]))
    case "bomb": peer.send(Frame.request(1, extra: [("x", String(repeating: "v", count: 5000))]))
    case "cancelled": peer.send(Frame.request(1, end: false) + Frame.reset(1))
    default: peer.send(Frame.request(1))
    }
    #expect(peer.server.takeRefusals().counts == (reason.map { [$0: 1] } ?? [:]))
    #expect(peer.fault == nil)
    peer.send(Frame.request(3))
    #expect(peer.service.requests.last?.finishes == 1)
  }

  @Test(arguments: [
    (Frame.data(0, [1]), HTTP2Fault.Kind.protocolError, 1),
    (Frame.windowUpdate(0, 0x7fff_ffff), .flowControlError, 3),
    (Frame.make(4, [0, 4, 0x80, 0, 0, 0]), .flowControlError, 3),
    (Frame.request(1) + Frame.data(1, [1]), .streamClosed, 5),
    (Frame.make(6, [1]), .frameSizeError, 6),
    (Frame.make(1, flags: 5, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), .compressionError, 9),
    (Frame.settings((0..<100).map { (UInt16(0x1000 + $0), 1) }), .settings, 11),
  ])
  func connectionErrorsAreCalledByTheirCodes(bytes: [UInt8], kind: HTTP2Fault.Kind, code: Int) {
    let peer = RawClient()
    peer.service.answer = nil
    peer.greet()
    peer.send(bytes)
    #expect(peer.fault?.kind == kind)
    #expect(peer.goAwayCode == UInt32(code))
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
