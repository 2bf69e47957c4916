import HTTP2Engine
import Testing

/// Heavy but honest traffic must never be caught, in no time at all (the clock stands still here).
struct LegitimateTrafficTests {
  /// As gRPC libraries do: two WINDOW_UPDATEs and a bandwidth probe for each answer, small DATA frames.
  @Test func busyGRPCClient() {
    let peer = RawClient()
    peer.service.answer = { _ in
      Response(status: 200, body: [UInt8](repeating: 0, count: 5), trailers: ["grpc-status": "0"])
    }
    peer.greet()
    for index in 0..<4000 {
      let id = UInt32(index * 2 + 1)
      peer.send(
        Frame.request(id, end: false) + Frame.data(id, [0, 0, 0, 0, 3]) + Frame.data(id, [1, 2, 3])
          + Frame.data(id, end: true))
      peer.send(Frame.windowUpdate(0, 5) + Frame.windowUpdate(id, 5) + Frame.ping())
      peer.seen = []
    }
    #expect(peer.fault == nil)
    #expect(peer.service.requests.count == 4000)
  }

  @Test func manyRequestsAtOnceAndAllCancelled() {
    let peer = RawClient()
    peer.greet()
    for index in 0..<128 { peer.send(Frame.request(UInt32(index * 2 + 1), end: false)) }
    for index in 0..<128 { peer.send(Frame.reset(UInt32(index * 2 + 1))) }
    #expect(peer.fault == nil)
  }

  @Test func bigUploadsWithSmallFrames() {
    let peer = RawClient()
    peer.greet()
    peer.send(Frame.request(1, end: false))
    for index in 0..<20_000 {
      peer.send(Frame.data(1, [UInt8](repeating: 0, count: 1024)))
      if index % 8 == 0 { peer.send(Frame.ping()) }
    }
    #expect(peer.fault == nil)
  }

  /// An overloaded server answers early again and again; clients stop uploading with a reset of their own.
  @Test func earlyAnswersForEver() {
    let link = Link()
    link.service.earlyAnswer = { _ in Response(status: 503) }
    link.settle()
    for _ in 0..<1500 {
      let outcome = link.post(body: [UInt8](repeating: 0, count: 200_000))
      link.settle()
      #expect(outcome.response?.status == 503)
    }
    #expect(link.serverFault == nil && link.clientFault == nil)
  }

  /// A server that credits every DATA frame twice, as simple ones do.
  @Test func clientOfAnEagerServer() throws {
    let client = HTTP2Client()
    var done = 0
    func exchange(_ bytes: [UInt8]) throws -> [SeenFrame] {
      try bytes.withUnsafeBytes { try client.receive($0, now: 1) }
      var out: [UInt8] = []
      try client.drain { out.append(contentsOf: $0) }
      return SeenFrame.all(in: out)
    }
    _ = try exchange(Frame.settings() + Frame.settingsACK)
    let request = ClientRequest(method: "POST", scheme: "http", authority: "a", path: "/")
    for _ in 0..<500 {
      let id = try #require(
        client.submit(request, prefix: [0, 0, 0, 0, 0], body: [UInt8](repeating: 0, count: 50_000)) { _ in done += 1 })
      var frames = try exchange([])
      while true {
        let data = frames.filter { $0.type == 0 }
        if data.isEmpty || data.last?.flags == 1 { break }
        frames = try exchange(
          data.flatMap {
            Frame.windowUpdate(0, UInt32($0.payload.count)) + Frame.windowUpdate(UInt32(id), UInt32($0.payload.count))
          })
      }
      let credit = frames.filter { $0.type == 0 }.map { UInt32($0.payload.count) }.reduce(0, +)
      _ = try exchange(
        Frame.windowUpdate(0, credit) + Frame.response(UInt32(id), extra: [("grpc-status", "0")], end: true))
    }
    #expect(done == 500)
  }
}
