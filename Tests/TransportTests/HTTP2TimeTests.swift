import HTTP2Engine
import NIOCore
import Testing

@testable import Transport

/// HTTP/2 frames by hand.
enum HTTP2Bytes {
  static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
  /// `:method: POST`, `:scheme: http`, `:path: /echo`, `:authority: a`.
  static let fields: [UInt8] = [0x83, 0x86, 0x04, 5] + Array("/echo".utf8) + [0x01, 1, 97]

  static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags, 0, 0, 0, stream]
      + payload
  }

  /// The preface and SETTINGS.
  static func opening(_ settings: [UInt8] = []) -> [UInt8] { Array(preface.utf8) + frame(4, settings) }
  static func headers(_ stream: UInt8, flags: UInt8 = 4) -> [UInt8] { frame(1, flags: flags, stream: stream, fields) }
  static func data(_ stream: UInt8, _ count: Int, ends: Bool = false) -> [UInt8] {
    frame(0, flags: ends ? 1 : 0, stream: stream, [UInt8](repeating: 97, count: count))
  }
  static let ping = frame(6, [1, 2, 3, 4, 5, 6, 7, 8])
}

/// What becomes of HTTP/2 connections and their requests as time goes by.
@Suite struct HTTP2TimeTests {
  private func open(_ settings: [UInt8] = []) throws -> EmbeddedConnection {
    let peer = try EmbeddedConnection()
    try peer.send(HTTP2Bytes.opening(settings))
    return peer
  }

  private static let pong = HTTP2Bytes.frame(6, flags: 1, [1, 2, 3, 4, 5, 6, 7, 8])

  /// Who asks for nothing comes after who does.
  @Test func aPingIsAnsweredInItsTurn() throws {
    let peer = try open()
    try peer.wait(seconds: 1)
    let before = peer.bytes
    try peer.send(HTTP2Bytes.ping + HTTP2Bytes.ping)
    #expect(peer.bytes == before)
    try peer.wait(seconds: 1)
    #expect(peer.bytes == before + Self.pong + Self.pong)
    try peer.wait(seconds: 1)
    #expect(peer.bytes == before + Self.pong + Self.pong)
  }

  @Test func aRequestTakesThePingBeforeItAlong() throws {
    let peer = try open()
    try peer.wait(seconds: 1)
    let before = peer.bytes
    try peer.send(HTTP2Bytes.ping)
    try peer.send(HTTP2Bytes.headers(1, flags: 5))
    #expect(peer.bytes.dropFirst(before.count).starts(with: Self.pong))
    let answered = peer.bytes
    #expect(answered.count > before.count + Self.pong.count)
    try peer.wait(seconds: 1)
    #expect(peer.bytes == answered)
  }

  /// SETTINGS are the last part of the preface.
  @Test(arguments: [0, 4, 9]) func aPrefaceWithoutSettings(_ count: Int) throws {
    let peer = try EmbeddedConnection()
    try peer.send(HTTP2Bytes.preface)
    try peer.send(Array(HTTP2Bytes.frame(4, [0, 4, 0, 1, 0, 0]).prefix(count)))
    try peer.wait(seconds: 9)
    #expect(peer.isOpen && peer.closed.isEmpty)
    try peer.wait(seconds: 1)
    #expect(peer.closed == ["preface_timeout": 1])
    try peer.wait(seconds: 2)
    #expect(!peer.isOpen)
  }

  /// HEADERS without the end of the frame.
  @Test func aHeaderBlockThatComesByteByByte() throws {
    let peer = try open()
    let bytes = HTTP2Bytes.headers(1)
    try peer.send(Array(bytes.prefix(10)))
    for byte in bytes[10..<19] {
      try peer.wait(seconds: 1)
      try peer.send([byte])
    }
    #expect(peer.closed.isEmpty)
    try peer.wait(seconds: 1)
    #expect(peer.closed == ["header_timeout": 1])
  }

  /// HEADERS without END_HEADERS, and then CONTINUATION after CONTINUATION.
  @Test func aHeaderBlockWithoutAnEnd() throws {
    let peer = try open()
    try peer.send(HTTP2Bytes.headers(1, flags: 1))
    for _ in 0..<4 {
      try peer.wait(seconds: 2)
      try peer.send(HTTP2Bytes.frame(9, stream: 1, [0x40, 1, 120, 1, 120]))
    }
    try peer.wait(seconds: 1)
    #expect(peer.closed.isEmpty)
    try peer.wait(seconds: 1)
    #expect(peer.closed == ["header_timeout": 1])
  }

  /// A block that was whole in time, and one that was refused, are nothing to wait for.
  @Test func headerBlocksThatAreOver() throws {
    let peer = try open()
    try peer.send(Array(HTTP2Bytes.headers(1).prefix(12)))
    try peer.wait(seconds: 9)
    try peer.send(Array(HTTP2Bytes.headers(1).dropFirst(12)) + HTTP2Bytes.data(1, 1, ends: true))
    #expect(peer.journal.state.finished == ["/echo"])
    // More fields than are allowed.
    let many = [UInt8](repeating: 0x82, count: 120)
    try peer.send(HTTP2Bytes.frame(1, flags: 4, stream: 3, HTTP2Bytes.fields + many))
    try peer.wait(seconds: 11)
    #expect(peer.isOpen)
    #expect(peer.closed.isEmpty)
  }

  /// One request goes on, another dribbles, a third gets nothing: only the last two are given up.
  @Test func aRequestThatDribblesAmongOthers() throws {
    let peer = try open()
    for stream: UInt8 in [1, 3, 5] { try peer.send(HTTP2Bytes.headers(stream)) }
    for second in 1...59 {
      try peer.wait(seconds: 1)
      try peer.send(HTTP2Bytes.data(3, 1))
      if second % 30 == 5 { try peer.send(HTTP2Bytes.data(1, ConnectionTimeouts.bodyBytesMin)) }
    }
    #expect(peer.cutOff.isEmpty)
    try peer.wait(seconds: 1)
    #expect(peer.cutOff == ["slow_body": 2])
    #expect(peer.journal.state.cancelled == ["/echo", "/echo"])
    try peer.send(HTTP2Bytes.data(1, 1, ends: true))
    #expect(peer.journal.state.finished == ["/echo"])
    #expect(peer.isOpen && peer.closed.isEmpty)
  }

  /// An answer that fits no window is not kept for ever for a peer that only says that it is there.
  @Test func anAnswerThatIsNotRead() throws {
    // SETTINGS_INITIAL_WINDOW_SIZE is 0.
    let peer = try open([0, 4, 0, 0, 0, 0])
    try peer.send(HTTP2Bytes.headers(1) + HTTP2Bytes.data(1, 100, ends: true))
    for _ in 0..<89 {
      try peer.wait(seconds: 1)
      try peer.send(HTTP2Bytes.ping)
    }
    #expect(peer.cutOff == ["unread_answer": 1])
    #expect(peer.isOpen && peer.closed.isEmpty)
  }

  @Test func anAnswerThatIsReadSlowly() throws {
    let peer = try open([0, 4, 0, 0, 0, 0])
    try peer.send(HTTP2Bytes.headers(1) + HTTP2Bytes.data(1, 100, ends: true))
    for _ in 0..<10 {
      try peer.wait(seconds: 29)
      try peer.send(HTTP2Bytes.frame(8, stream: 1, [0, 0, 0, 1]))
    }
    #expect(peer.cutOff.isEmpty)
    try peer.send(HTTP2Bytes.frame(8, stream: 1, [0, 0, 1, 0]))
    try peer.wait(seconds: 90)
    #expect(peer.cutOff.isEmpty)
    #expect(peer.isOpen && peer.closed.isEmpty)
  }

  /// Whoever waits for us is not hurried, on HTTP/2 either.
  @Test func whoeverWaitsForUs() throws {
    let peer = try open()
    let client = Array("/late".utf8)
    var fields = HTTP2Bytes.fields
    fields.replaceSubrange(3...8, with: [6] + client + [114])
    try peer.send(HTTP2Bytes.frame(1, flags: 5, stream: 1, fields))
    for _ in 0..<20 { try peer.wait(seconds: 30) }
    #expect(peer.isOpen && peer.closed.isEmpty && peer.cutOff.isEmpty)
    #expect(peer.journal.state.waiting.count == 1)
  }

  @Test func anHTTP2RequestThatStops() throws {
    let peer = try EmbeddedConnection()
    let client = HTTP2Client()
    client.submit(
      ClientRequest(method: "POST", scheme: "http", authority: "a", path: "/echo"), body: [1, 2, 3]
    ) { _ in }
    try peer.send(Array(try client.bytes().dropLast()))
    try peer.wait(seconds: 30)
    #expect(peer.isOpen)
    try peer.wait(seconds: 30)
    #expect(!peer.isOpen)
    #expect(peer.closed == ["stalled": 1])
    #expect(peer.journal.state.cancelled == ["/echo"])
  }

  @Test func anIdleHTTP2ConnectionIsKeptForLonger() throws {
    let peer = try EmbeddedConnection()
    let client = HTTP2Client()
    var answers = 0
    for _ in 0..<2 {
      client.submit(ClientRequest(method: "POST", scheme: "http", authority: "a", path: "/echo"), body: [1]) { _ in
        answers += 1
      }
      try peer.exchange(with: client)
      for _ in 0..<59 { try peer.wait(seconds: 60) }
      #expect(peer.isOpen)
    }
    #expect(answers == 2)
    #expect(client.acceptsNewRequests)
    // PING is no request.
    try peer.send([0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    for _ in 0..<16 { try peer.wait(seconds: 60) }
    #expect(!peer.isOpen)
    #expect(peer.closed == ["idle": 1])
    try peer.exchange(with: client)
    #expect(!client.acceptsNewRequests, "it was told to go")
  }
}
