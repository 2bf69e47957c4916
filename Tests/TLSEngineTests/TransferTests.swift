import Testing

@testable import TLSEngine

@Suite("Transfer")
struct TransferTests {
  private func established(scratchByteCount: Int = 64 << 10, pieceSize: () -> Int = { Int.max }) throws -> Link {
    let ours = try Authority.ours.get()
    let link = try Link(
      client: TLSContext(client: TLSClientConfiguration(trusting: ours.trust)),
      server: TLSContext(server: TLSServerConfiguration(ours.issue())), scratchByteCount: scratchByteCount
    ).shakeHands(pieceSize: pieceSize)
    try #require(link.client.session.isEstablished && link.server.session.isEstablished)
    return link
  }

  @Test("Megabytes arrive both ways, however the network cuts them up")
  func large() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for scratchByteCount in [1000, 16_384, 64 << 10] {
      var sizes = SeededRandom(seed: seed &+ UInt64(scratchByteCount))
      let link = try established(scratchByteCount: scratchByteCount) { Int.random(in: 1...40_000, using: &sizes) }
      let up = random.bytes(3 << 20)
      let down = random.bytes((1 << 20) + 7)
      try link.client.send(up)
      try link.server.send(down)
      link.pump { Int.random(in: 1...40_000, using: &sizes) }
      #expect(link.server.received == up, "seed \(seed)")
      #expect(link.client.received == down, "seed \(seed)")
      #expect(link.client.fault == nil && link.server.fault == nil, "seed \(seed)")
    }
  }

  @Test("Bytes may come one at a time, from the first")
  func singleBytes() throws {
    var random = SeededRandom(seed: 1)
    let link = try established { 1 }
    let up = random.bytes(40_000)
    let down = random.bytes(20_000)
    try link.client.send(up)
    try link.server.send(down)
    link.pump { 1 }
    #expect(link.server.received == up && link.client.received == down)
  }

  @Test("All records of one piece are handed on in one go, as far as the scratch buffer goes")
  func gathering() throws {
    let link = try established()
    try link.client.send([UInt8](repeating: 7, count: 100_000))
    let cipher = link.client.takeOutput()
    #expect(cipher.count > 100_000 && cipher.count < 100_000 + 7 * 32)
    var pieces: [Int] = []
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { scratch.deallocate() }
    try cipher.span.bytes.withUnsafeBytes { bytes throws(TLSFault) in
      try link.server.session.receive(bytes, scratch: scratch) { pieces.append($0.count) }
    }
    #expect(pieces == [65_536, 100_000 - 65_536])
  }

  @Test("Nothing is sent for nothing")
  func empty() throws {
    let link = try established()
    try link.client.send([])
    #expect(link.client.session.outputByteCount == 0)
    link.client.session.takeOutput { _ in Issue.record("no output was expected") }
    link.server.receive([])
    #expect(link.server.fault == nil && link.server.received.isEmpty)
  }

  @Test("A client's first data may come together with the end of its handshake")
  func earliestData() throws {
    let ours = try Authority.ours.get()
    let identity = try ours.issue(Leaf(names: ["URI:spiffe://a/region/us-east-1"]))
    let link = try Link(
      client: TLSContext(client: TLSClientConfiguration(trusting: ours.trust, identity: identity)),
      server: TLSContext(server: TLSServerConfiguration(ours.issue(), clientAuthorities: ours.trust)))
    link.client.start()
    link.server.receive(link.client.takeOutput())
    link.client.receive(link.server.takeOutput())
    try #require(link.client.session.isEstablished)
    try link.client.send([1, 2, 3])
    // Even when what follows is broken, the receiver of the good part can tell who sent it.
    let cipher = link.client.takeOutput() + [UInt8](repeating: 0xFF, count: 40)
    var seen: [[UInt8]] = []
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1000, alignment: 16)
    defer { scratch.deallocate() }
    #expect(throws: TLSFault.self) {
      try cipher.span.bytes.withUnsafeBytes { bytes throws(TLSFault) in
        try link.server.session.receive(bytes, scratch: scratch) { plain in
          seen.append(Array(plain))
          #expect(link.server.session.isEstablished)
          #expect(link.server.session.negotiatedProtocol == "h2")
          #expect(link.server.session.peerIsAuthenticated)
          #expect(link.server.session.peerRegion == "us-east-1")
        }
      }
    }
    #expect(seen == [[1, 2, 3]])
    #expect(!link.server.session.isEstablished)
  }

  @Test("A receiver may answer and take output while it receives")
  func reentrancy() throws {
    let link = try established()
    try link.client.send([UInt8](repeating: 1, count: 50_000))
    let cipher = link.client.takeOutput()
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 5_000, alignment: 16)
    defer { scratch.deallocate() }
    var answers: [UInt8] = []
    try cipher.span.bytes.withUnsafeBytes { bytes throws(TLSFault) in
      try link.server.session.receive(bytes, scratch: scratch) { plain in
        do throws(TLSFault) { try link.server.session.send(plain) } catch { Issue.record("\(error)") }
        link.server.session.takeOutput { answers.append(contentsOf: $0) }
      }
    }
    link.client.receive(answers)
    #expect(link.client.received == [UInt8](repeating: 1, count: 50_000))
  }

  @Test("The sink may make more output")
  func reentrantSink() throws {
    let link = try established()
    try link.client.send([1])
    var cipher: [UInt8] = []
    link.client.session.takeOutput { first in
      do throws(TLSFault) { try link.client.send([2]) } catch { Issue.record("\(error)") }
      cipher.append(contentsOf: first)
    }
    link.client.session.takeOutput { cipher.append(contentsOf: $0) }
    link.server.receive(cipher)
    #expect(link.server.received == [1, 2])
  }
}

@Suite("The end of a session")
struct ClosingTests {
  private func established() throws -> Link { try handshake(Leaf()) }

  @Test("close_notify is sent, and noticed after all data before it")
  func goodbye() throws {
    let link = try established()
    try link.client.send([1, 2, 3])
    link.client.session.close()
    #expect(!link.client.session.isEstablished)
    link.pump()
    #expect(link.server.received == [1, 2, 3])
    #expect(link.server.session.isPeerClosed && link.server.fault == nil)
    // The other way is still open.
    #expect(link.server.session.isEstablished)
    try link.server.send([4])
    link.pump()
    #expect(link.client.received.isEmpty, "a side that closed does not listen any more")
    #expect(throws: TLSFault(.closed, "closed on this side")) { try link.client.send([5]) }
  }

  @Test("What follows close_notify is thrown away")
  func afterGoodbye() throws {
    let link = try established()
    link.client.session.close()
    link.server.receive(link.client.takeOutput() + [1, 2, 3, 4, 5, 6, 7, 8])
    link.server.receive([9, 9, 9])
    #expect(link.server.session.isPeerClosed && link.server.fault == nil && link.server.received.isEmpty)
  }

  @Test("A receiver that closes gets nothing more")
  func closeWhileReceiving() throws {
    let link = try established()
    try link.client.send([UInt8](repeating: 1, count: 5_000))
    let cipher = link.client.takeOutput()
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_000, alignment: 16)
    defer { scratch.deallocate() }
    var calls = 0
    try cipher.span.bytes.withUnsafeBytes { bytes throws(TLSFault) in
      try link.server.session.receive(bytes, scratch: scratch) { _ in
        calls += 1
        link.server.session.close()
      }
    }
    #expect(calls == 1)
    link.pump()
    #expect(link.client.session.isPeerClosed)
  }

  @Test("Closing before the handshake is done, or twice, says nothing")
  func earlyClose() throws {
    let ours = try Authority.ours.get()
    let session = try TLSSession(TLSContext(server: TLSServerConfiguration(ours.issue())))
    session.close()
    session.close()
    #expect(session.outputByteCount == 0 && !session.isEstablished)
  }

  @Test("Sessions and contexts are released, whatever became of them")
  func release() throws {
    weak var client: TLSSession?
    weak var server: TLSSession?
    weak var context: TLSContext?
    for leaf in [Leaf(), Leaf(names: ["DNS:other.example.com"])] {
      do {
        let ours = try Authority.ours.get()
        let serverContext = try TLSContext(server: TLSServerConfiguration(ours.issue(leaf)))
        let link = try Link(
          client: TLSContext(client: TLSClientConfiguration(trusting: ours.trust)), server: serverContext)
        link.shakeHands()
        client = link.client.session
        server = link.server.session
        context = serverContext
        #expect(client != nil && server != nil && context != nil)
      }
      #expect(client == nil && server == nil && context == nil)
    }
  }

  @Test("A session keeps the identity it began with when its owner has a newer one")
  func reload() throws {
    let ours = try Authority.ours.get()
    var server: TLSContext? = try TLSContext(server: TLSServerConfiguration(ours.issue()))
    let client = try TLSContext(client: TLSClientConfiguration(trusting: ours.trust))
    let link = try Link(client: client, server: #require(server))
    server = nil
    link.shakeHands()
    try link.client.send([1])
    link.pump()
    #expect(link.server.received == [1])
  }
}
