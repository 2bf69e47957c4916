import HTTP2Engine
import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

/// What becomes of connections as time goes by.
@Suite struct TimeTests {
  @Test(arguments: ["", "P", String(HTTP2Bytes.preface.dropLast())])
  func whoDoesNotSayWhatItSpeaks(_ beginning: String) throws {
    let peer = try EmbeddedConnection()
    try peer.send(beginning)
    try peer.wait(seconds: 9)
    #expect(peer.isOpen)
    try peer.wait(seconds: 1)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["preface_timeout": 1])
  }

  @Test func aHandshakeThatStalls() throws {
    let context = try Certificates.made.get().serverContext()
    let peer = try EmbeddedConnection(tls: TLSContextSource(context))
    try peer.send([22, 3, 1, 2, 0, 1, 0])
    try peer.wait(seconds: 9)
    #expect(peer.isOpen)
    try peer.wait(seconds: 1)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["handshake_timeout": 1])
  }

  @Test func aHandshakeThatComesByteByByte() throws {
    let context = try Certificates.made.get().serverContext()
    let peer = try EmbeddedConnection(tls: TLSContextSource(context))
    for byte: UInt8 in [22, 3, 1, 2, 0, 1, 0, 0, 0] {
      try peer.send([byte])
      try peer.wait(seconds: 1)
    }
    #expect(peer.isOpen)
    try peer.wait(seconds: 1)
    #expect(peer.closed == ["handshake_timeout": 1])
  }

  @Test func aHeadThatComesByteByByte() throws {
    let peer = try EmbeddedConnection()
    try peer.send("POST /echo HTTP/1.1\r\nhost: a\r\n")
    for _ in 0..<9 {
      try peer.wait(seconds: 1)
      try peer.send("a")
    }
    #expect(peer.isOpen)
    try peer.wait(seconds: 1)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["header_timeout": 1])
  }

  /// Each head has its own time.
  @Test func headsThatComeInPieces() throws {
    let peer = try EmbeddedConnection()
    for _ in 0..<4 {
      try peer.send("POST /echo HTTP/1.1\r\nhost: a\r\n")
      try peer.wait(seconds: 9)
      try peer.send("content-length: 0\r\n\r\nPO")
      try peer.wait(seconds: 9)
      try peer.send("ST /echo HTTP/1.1\r\ncontent-length: 1\r\n\r\nx")
    }
    #expect(peer.messages.count == 8)
    #expect(peer.closed.isEmpty)
  }

  @Test func aBodyMayTakeItsTimeButNotStop() throws {
    let peer = try EmbeddedConnection()
    try peer.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000\r\n\r\n")
    for _ in 0..<9 {
      try peer.send([UInt8](repeating: 97, count: ConnectionTimeouts.bodyBytesMin))
      try peer.wait(seconds: 30)
    }
    #expect(peer.isOpen)
    #expect(peer.closed.isEmpty)
    try peer.wait(seconds: 60)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["stalled": 1])
    #expect(peer.journal.state.cancelled == ["/echo"])
  }

  /// One byte less than is asked for in each interval.
  @Test func aBodyThatDribbles() throws {
    let peer = try EmbeddedConnection()
    try peer.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000\r\n\r\n")
    try peer.wait(seconds: 30)
    try peer.send([UInt8](repeating: 97, count: ConnectionTimeouts.bodyBytesMin - 1))
    try peer.wait(seconds: 29)
    #expect(peer.isOpen)
    try peer.wait(seconds: 1)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["slow_body": 1])
    #expect(peer.cutOff == ["slow_body": 1])
    #expect(peer.journal.state.cancelled == ["/echo"])
  }

  /// Steady, but without an end.
  @Test func aBodyThatTakesTooLong() throws {
    let peer = try EmbeddedConnection()
    try peer.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000\r\n\r\n")
    for _ in 0..<10 {
      try peer.send([UInt8](repeating: 97, count: ConnectionTimeouts.bodyBytesMin))
      try peer.wait(seconds: 30)
    }
    #expect(peer.isOpen)
    try peer.send([UInt8](repeating: 97, count: ConnectionTimeouts.bodyBytesMin))
    try peer.wait(seconds: 30)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["slow_body": 1])
  }

  @Test func anUnwantedBodyMayNotStopEither() throws {
    let peer = try EmbeddedConnection()
    try peer.send("POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n")
    #expect(peer.messages.map(\.status) == [413])
    try peer.wait(seconds: 60)
    #expect(!peer.isOpen)
  }

  @Test func whoeverWaitsForUsIsNotHurried() throws {
    let peer = try EmbeddedConnection()
    try peer.send(post("/later", "x"))
    for _ in 0..<20 { try peer.wait(seconds: 30) }
    #expect(peer.isOpen)
    peer.journal.state.waiting[0]()
    try peer.wait(seconds: 0)
    #expect(peer.messages.map(\.body) == ["x"])
    #expect(peer.isOpen)
  }

  @Test func anIdleConnectionIsKeptForAWhile() throws {
    let peer = try EmbeddedConnection()
    for _ in 0..<3 {
      try peer.send(post("/echo", "x"))
      try peer.wait(seconds: 119)
      #expect(peer.isOpen)
    }
    #expect(peer.messages.count == 3)
    try peer.wait(seconds: 31)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["idle": 1])
  }

  @Test func whoDoesNotReadItsAnswers() throws {
    let peer = try EmbeddedConnection()
    try peer.send(post("/echo", "x"))
    peer.channel.isWritable = false
    peer.channel.pipeline.fireChannelWritabilityChanged()
    try peer.wait(seconds: 30)
    #expect(peer.isOpen)
    try peer.wait(seconds: 60)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["unread_answer": 1])
  }

  @Test(arguments: ["/echo", "/later", "/early", "/never"]) func nothingHoldsAConnectionThatHasEnded(_ path: String)
    throws
  {
    let peer = try EmbeddedConnection()
    try peer.send(post(path, "x"))
    #expect(peer.connection != nil)
    if peer.isOpen { try peer.channel.close().wait() }
    peer.channel.embeddedEventLoop.run()
    #expect(peer.connection == nil)
    peer.journal.change { $0.waiting = [] }
    #expect(peer.journal.state.alive == 0)
  }

  @Test(arguments: ["/echo", "/later", "/early", "/never"]) func norAnHTTP2Connection(_ path: String) throws {
    let peer = try EmbeddedConnection()
    let client = HTTP2Client()
    client.submit(ClientRequest(method: "POST", scheme: "http", authority: "a", path: path), body: [1]) { _ in }
    try peer.send(try client.bytes())
    #expect(peer.connection != nil)
    if peer.isOpen { try peer.channel.close().wait() }
    peer.channel.embeddedEventLoop.run()
    #expect(peer.connection == nil)
    peer.journal.change { $0.waiting = [] }
    #expect(peer.journal.state.alive == 0)
  }
}
