import Testing

@testable import TLSEngine

@Suite("Hostile bytes")
struct HostileBytesTests {
  private static func contexts() throws -> (client: TLSContext, server: TLSContext) {
    let ours = try Authority.ours.get()
    return (
      try TLSContext(client: TLSClientConfiguration(trusting: ours.trust, identity: ours.issue())),
      try TLSContext(server: TLSServerConfiguration(ours.issue(), clientAuthorities: ours.trust))
    )
  }

  @Test("What is not TLS is a fault, with an alert to send")
  func notTLS() throws {
    let contexts = try Self.contexts()
    for (text, detail) in [
      ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "wrong version number"), ("GET / HTTP/1.1\r\n\r\n", "http request"),
    ] {
      let server = End(contexts.server)
      server.receive(text.utf8)
      #expect(server.fault == TLSFault(.handshakeFailed, detail))
      #expect(!server.session.isEstablished)
      let first = server.fault
      server.receive([1, 2, 3])
      #expect(server.fault == first, "a failed session stays failed")
      #expect(throws: first ?? TLSFault(.closed, "")) { try server.send([1]) }
    }
  }

  @Test("A truncated handshake waits; it neither fails nor is established")
  func truncated() throws {
    let contexts = try Self.contexts()
    let client = End(contexts.client)
    client.start()
    let hello = client.takeOutput()
    for length in 0..<hello.count {
      let server = End(contexts.server)
      server.receive(hello.prefix(length))
      #expect(server.fault == nil && !server.session.isEstablished && server.session.outputByteCount == 0)
    }
  }

  @Test("Mutated handshakes never establish another session than the good one, and never crash")
  func mutatedHandshake() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let contexts = try Self.contexts()
    for round in 0..<300 {
      let link = Link(client: contexts.client, server: contexts.server)
      link.client.start()
      var untouched = Int.random(in: 0..<4, using: &random)
      var isMutated = false
      for _ in 0..<8 {
        for (from, to) in [(link.client, link.server), (link.server, link.client)] {
          var bytes = from.takeOutput()
          if !bytes.isEmpty, untouched == 0, !isMutated {
            isMutated = true
            mutate(&bytes, &random)
          }
          untouched = max(0, untouched - 1)
          to.receive(bytes)
        }
      }
      // A failure of one side is known to both or the other waits; nobody reads plain bytes nobody sent.
      #expect(link.client.received.isEmpty && link.server.received.isEmpty, "seed \(seed) round \(round)")
    }
  }

  @Test("A changed record is a fault; what came before it arrives")
  func mutatedRecord() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let contexts = try Self.contexts()
    for round in 0..<200 {
      let link = Link(client: contexts.client, server: contexts.server).shakeHands()
      try #require(link.server.session.isEstablished)
      try link.client.send([1, 2, 3])
      let good = link.client.takeOutput()
      try link.client.send(random.bytes(Int.random(in: 1...3_000, using: &random)))
      var bad = link.client.takeOutput()
      let index = Int.random(in: 5..<bad.count, using: &random)
      bad[index] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &random)
      link.server.receive(good + bad)
      #expect(link.server.received == [1, 2, 3], "seed \(seed) round \(round)")
      #expect(link.server.fault?.kind == .protocolError, "seed \(seed) round \(round)")
      #expect(link.server.session.outputByteCount > 0, "an alert")
      link.pump()
      #expect(link.client.fault?.kind == .refusedByPeer)
      #expect(link.client.fault?.alert == 20, "bad_record_mac")
    }
  }

  @Test("Any mutation of a stream of records gives a prefix of what was sent")
  func mutatedStream() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let contexts = try Self.contexts()
    for round in 0..<200 {
      let link = Link(client: contexts.client, server: contexts.server).shakeHands()
      let plain = random.bytes(2_000)
      for start in stride(from: 0, to: plain.count, by: 500) {
        try link.client.send(Array(plain[start..<(start + 500)]))
      }
      var bytes = link.client.takeOutput()
      mutate(&bytes, &random)
      link.server.receive(bytes)
      #expect(plain.starts(with: link.server.received), "seed \(seed) round \(round)")
    }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.removeSubrange(index...)
      case 2: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...40, using: &random)))
      case 3: bytes.insert(contentsOf: random.bytes(Int.random(in: 1...40, using: &random)), at: index)
      default: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 100)], at: index)
      }
    }
  }

  @Test("A replayed record is refused")
  func replay() throws {
    let contexts = try Self.contexts()
    let link = Link(client: contexts.client, server: contexts.server).shakeHands()
    try link.client.send([1, 2, 3])
    let record = link.client.takeOutput()
    link.server.receive(record + record)
    #expect(link.server.received == [1, 2, 3])
    #expect(link.server.fault?.kind == .protocolError)
  }

  @Test("New keys are accepted up to a number, then they are a flood")
  func keyUpdates() throws {
    let contexts = try Self.contexts()
    let max = TLSSession.laterHandshakeMessagesMax
    let link = Link(client: contexts.client, server: contexts.server).shakeHands()
    for _ in 0..<max { link.client.session.updateKeys() }
    try link.client.send([1])
    link.pump()
    #expect(link.server.received == [1] && link.server.fault == nil)
    link.client.session.updateKeys()
    link.pump()
    #expect(link.server.fault == TLSFault(.flood, "too many handshake messages"))
  }

  @Test("Data earns a peer new keys")
  func earnedKeyUpdates() throws {
    let contexts = try Self.contexts()
    let link = Link(client: contexts.client, server: contexts.server).shakeHands()
    let much = [UInt8](repeating: 0, count: TLSSession.forgivingByteCount)
    for _ in 0..<3 {
      for _ in 0..<TLSSession.laterHandshakeMessagesMax { link.client.session.updateKeys() }
      try link.client.send(much)
      // The server answers each change of keys with its own.
      try link.server.send(much)
      link.pump()
    }
    #expect(link.server.fault == nil && link.server.received.count == 3 * much.count)
  }

  /// A hello that announces 131 000 bytes, of which `byteCount` come with all that is around them.
  private static func endlessHello(_ byteCount: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var message: [UInt8] = [1, 1, 0xff, 0xb8, 3, 3]
    while bytes.count < byteCount {
      message += [UInt8](repeating: 0, count: (1 << 14) - message.count)
      bytes += [22, 3, 1, 0x40, 0] + message
      message = []
    }
    return Array(bytes[..<byteCount])
  }

  @Test("A client that says hello without end is left")
  func endlessHello() throws {
    let contexts = try Self.contexts()
    let most = TLSSession.clientHandshakeByteCountMax
    for pieceSize in [most, 1_000] {
      let hello = Self.endlessHello(most + 1)
      let server = End(contexts.server)
      for start in stride(from: 0, to: most, by: pieceSize) {
        server.receive(hello[start..<min(most, start + pieceSize)])
      }
      #expect(server.fault == nil && !server.session.isEstablished)
      server.receive(hello[most...])
      #expect(server.fault == TLSFault(.flood, "too many bytes before the session is established"))
    }
  }

  @Test("A request right behind a handshake is not counted to it")
  func muchBehindTheHandshake() throws {
    let contexts = try Self.contexts()
    let link = Link(client: contexts.client, server: contexts.server)
    link.client.start()
    link.server.receive(link.client.takeOutput())
    link.client.receive(link.server.takeOutput())
    // The client's certificate and Finished, and the request, in one piece.
    let much = [UInt8](repeating: 7, count: 1 << 20)
    try link.client.send(much)
    link.server.receive(link.client.takeOutput())
    #expect(link.server.fault == nil && link.server.received == much)
  }

  @Test("A server with names by the hundred is still understood")
  func longCertificate() throws {
    let names = (0..<900).map { "DNS:service-\($0).region.example.com" } + ["DNS:\(collectorName)"]
    let link = try handshake(Leaf(names: names))
    #expect(link.client.session.isEstablished)
    #expect(link.server.sent.count > 20_000)
  }
}
