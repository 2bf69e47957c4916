import HTTP2Engine
import Testing

@testable import HTTP2Engine

/// Damaged and random bytes: nothing may crash, and every request must still end exactly once.
struct MutationTests {
  /// A connection as a client has it, with everything in it.
  private func conversation(_ random: inout SeededRandom) -> [UInt8] {
    var bytes = Frame.preface + Frame.settings([(4, 100_000), (1, 4096)]) + Frame.settingsACK
    for index in 0..<12 {
      let id = UInt32(index * 2 + 1)
      bytes += Frame.request(id, path: "/a/\(index)", extra: [("content-type", "application/grpc")], end: false)
      bytes += Frame.data(id, random.bytes(Int.random(in: 0..<300, using: &random)))
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes += Frame.reset(id)
      case 1: bytes += Frame.headers(id, [("trailer", "x")], end: true)
      case 2: bytes += Frame.windowUpdate(id, 1000) + Frame.ping()
      default: bytes += Frame.data(id, [1, 2, 3], end: true)
      }
    }
    return bytes + Frame.goAway(last: 0)
  }

  @Test(arguments: 0..<20)
  func serverBearsMutations(batch: UInt64) {
    for round in 0..<100 {
      let seed = batch * 1000 + UInt64(round)
      var random = SeededRandom(state: seed)
      var bytes = conversation(&random)
      for _ in 0..<Int.random(in: 1...8, using: &random) { mutate(&bytes, &random) }
      let peer = RawClient(limits: HTTP2Limits(maxConcurrentStreams: 8, streamWindow: 1000, connectionWindow: 70_000))
      peer.service.consumes = Bool.random(using: &random)
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...400, using: &random))
        peer.send(Array(piece), draining: Bool.random(using: &random))
        rest = rest.dropFirst(piece.count)
        if Int.random(in: 0..<10, using: &random) == 0 {
          peer.service.requests.randomElement(using: &random)?.responder.respond(Response(status: 200, body: [1]))
        }
      }
      peer.server.connectionLost()
      for request in peer.service.requests {
        #expect(request.cancels + request.finishes <= 1, "seed \(seed)")
      }
      #expect(peer.server.isDone, "seed \(seed)")
    }
  }

  @Test(arguments: 0..<10)
  func clientBearsMutations(batch: UInt64) {
    for round in 0..<100 {
      let seed = 77_000 + batch * 1000 + UInt64(round)
      var random = SeededRandom(state: seed)
      let client = HTTP2Client(limits: HTTP2ClientLimits(headerFieldsMax: 6, responseBytesMax: 500))
      var ends = 0
      var submitted = 0
      let request = ClientRequest(method: "POST", scheme: "http", authority: "a", path: "/")
      for _ in 0..<10 where client.submit(request, body: random.bytes(500), completion: { _ in ends += 1 }) != nil {
        submitted += 1
      }
      _ = try? client.drain { _ in }
      var bytes = Frame.settings() + Frame.settingsACK
      for index in 0..<10 {
        let id = UInt32(index * 2 + 1)
        bytes += Frame.response(id, extra: [("content-type", "application/grpc")], end: false)
        bytes += Frame.data(id, random.bytes(Int.random(in: 0..<600, using: &random)))
        bytes +=
          Bool.random(using: &random)
          ? Frame.headers(id, [("grpc-status", "0")], end: true) : Frame.reset(id, code: UInt32(index))
      }
      for _ in 0..<Int.random(in: 0...6, using: &random) { mutate(&bytes, &random) }
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = Array(rest.prefix(Int.random(in: 1...200, using: &random)))
        rest = rest.dropFirst(piece.count)
        _ = try? piece.withUnsafeBytes { try client.receive($0, now: 1) }
        _ = try? client.drain { _ in }
        if Int.random(in: 0..<10, using: &random) == 0 { client.cancel(Int32.random(in: -1..<30, using: &random)) }
      }
      client.connectionLost()
      #expect(ends == submitted, "seed \(seed)")
    }
  }

  @Test func scannerFindsTheSameFramesInPiecesOfAnySize() {
    var random = SeededRandom(state: 5)
    let bytes = conversation(&random)
    func scan(_ pieceMax: Int) -> [FrameHead] {
      var scanner = FrameScanner(expectsPreface: true)
      var found: [FrameHead] = []
      var start = 0
      while start < bytes.count {
        let end = min(start + pieceMax, bytes.count)
        Array(bytes[start..<end]).withUnsafeBytes { raw in
          var offset = 0
          while let head = scanner.next(in: raw.bytes, at: &offset) { found.append(head) }
        }
        start = end
      }
      return found
    }
    let whole = scan(.max / 2)
    #expect(whole.map(\.type) == SeenFrame.all(in: bytes).map(\.type))
    #expect(whole.map(\.length) == SeenFrame.all(in: bytes).map(\.payload.count))
    for pieceMax in [1, 2, 3, 8, 9, 10, 100] { #expect(scan(pieceMax) == whole) }
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    guard bytes.count > 30 else { return }
    // The preface stays, so that the rest is looked at.
    let at = Int.random(in: 24..<bytes.count, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.removeSubrange(at..<min(at + Int.random(in: 1...20, using: &random), bytes.count))
    case 3: bytes.insert(contentsOf: random.bytes(Int.random(in: 1...20, using: &random)), at: at)
    default:
      let count = min(60, bytes.count - at)
      bytes.insert(contentsOf: bytes[at..<at + count], at: Int.random(in: 24..<bytes.count, using: &random))
    }
  }
}
