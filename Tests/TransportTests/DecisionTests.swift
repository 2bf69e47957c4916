import HTTP2Engine
import Testing

@testable import Transport

/// The decisions that need no connection.
@Suite struct DecisionTests {
  @Test func patience() {
    var patience = Patience()
    func looks(_ isAwaiting: Bool, progress: Bool = false) -> Bool {
      if progress { patience.progress() }
      return patience.isOver(isAwaiting)
    }
    for _ in 0..<100 { #expect(!looks(false)) }
    // What is owed since some moment of the last interval has one more.
    #expect(!looks(true))
    #expect(looks(true))
    #expect(!looks(true, progress: true))
    #expect(looks(true))
    #expect(!looks(false))
    #expect(!looks(true))
  }

  @Test func idleness() {
    var idleness = Idleness()
    func looks(_ isIdle: Bool, _ lastRequest: Int) -> Bool {
      idleness.isOver(isIdle: isIdle, lastRequest: lastRequest)
    }
    #expect(!looks(false, 1))
    for _ in 1..<Idleness.intervals { #expect(!looks(true, 1)) }
    #expect(looks(true, 1))
    // A request that came and went between two looks.
    #expect(!looks(true, 2))
    for _ in 1..<Idleness.intervals { #expect(!looks(true, 2)) }
    #expect(looks(true, 2))
  }

  @Test func bodyRules() {
    func looks(_ stall: Duration, _ request: Duration) -> Int {
      ConnectionTimeouts(stall: stall, request: request).bodyRule.looksMax
    }
    #expect(looks(.seconds(30), .seconds(300)) == 10)
    #expect(looks(.seconds(30), .seconds(301)) == 11)
    #expect(looks(.seconds(30), .seconds(1)) == 1)
    #expect(looks(.zero, .seconds(1)) == 1)
    #expect(looks(.nanoseconds(1), .seconds(Int64.max)) == 1_000_000_000)
  }

  @Test func connectionsOfOnePeer() {
    let peers = PeerConnections(connectionsMax: 4, perPeerMax: 2)
    #expect(peers.admit("a") == nil)
    #expect(peers.admit("a") == nil)
    #expect(peers.admit("a") == .peer)
    #expect(peers.admit("b") == nil)
    #expect(peers.admit("c") == nil)
    #expect(peers.admit("b") == .total)
    #expect(peers.open == 4 && peers.peers == 3)
    peers.ended("a")
    #expect(peers.admit("a") == nil)
    // A smaller cap ends nothing.
    peers.resize(connectionsMax: 10, perPeerMax: 1)
    #expect(peers.admit("a") == .peer)
    peers.ended("a")
    #expect(peers.admit("a") == .peer)
    peers.ended("a")
    #expect(peers.admit("a") == nil)
    peers.resize(connectionsMax: 100, perPeerMax: 0)
    for _ in 0..<50 { #expect(peers.admit("a") == nil) }
    for _ in 0..<51 { peers.ended("a") }
    peers.ended("b")
    peers.ended("c")
    #expect(peers.open == 0 && peers.peers == 0)
  }

  @Test func spokenProtocol() {
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    func judge(_ bytes: [UInt8], _ name: String? = nil, _ allowed: ListenerOptions.Protocols) -> SpokenProtocol {
      SpokenProtocol(bytes, negotiated: name, allowed: allowed)
    }
    for count in 0..<preface.count {
      #expect(judge(Array(preface[..<count]), nil, .http1AndHTTP2) == .undecided)
      #expect(judge(Array(preface[..<count]) + [0], nil, .http1AndHTTP2) == .http1)
      #expect(judge(Array(preface[..<count]) + [0], nil, .http2) == .other)
    }
    #expect(judge(preface, nil, .http2) == .http2)
    #expect(judge(preface + [1, 2], nil, .http1AndHTTP2) == .http2)
    #expect(judge([], "h2", .http2) == .http2)
    #expect(judge(preface, "http/1.1", .http1AndHTTP2) == .http1)
    #expect(judge([1], "http/1.1", .http2) == .other)
    #expect(judge(Array("POST /".utf8), nil, .http1AndHTTP2) == .http1)
  }

  @Test func durations() {
    #expect(Duration.seconds(1).nanosecondsClamped == 1_000_000_000)
    #expect(Duration.zero.nanosecondsClamped == 0)
    #expect(Duration.seconds(Int64.max).nanosecondsClamped == .max)
    #expect(Duration.seconds(Int64.min).nanosecondsClamped == .min)
    #expect(Duration.milliseconds(-1).nanosecondsClamped == -1_000_000)
  }
}
