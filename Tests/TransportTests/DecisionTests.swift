import Testing

@testable import Transport

/// The decisions that need no connection.
@Suite struct DecisionTests {
  @Test func patience() {
    var patience = Patience()
    func looks(_ wait: Patience.Wait, progress: Bool = false) -> Bool {
      if progress { patience.progress() }
      return patience.isOver(wait)
    }
    for _ in 0..<100 { #expect(!looks(.nothing)) }
    // What is owed since some moment of the last interval has one more.
    #expect(!looks(.peer))
    #expect(looks(.peer))
    #expect(!looks(.peer, progress: true))
    #expect(looks(.peer))
    #expect(!looks(.request))
    for _ in 1..<Patience.idleIntervals { #expect(!looks(.request)) }
    #expect(looks(.request))
    #expect(!looks(.request, progress: true))
    #expect(!looks(.peer))
    #expect(!looks(.request))
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
