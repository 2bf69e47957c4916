import HTTP2Engine

/// Frames made by hand.
enum Frame {
  static let preface: [UInt8] = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  static func make(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let length = UInt32(payload.count)
    return bytes(length).dropFirst() + [type, flags] + bytes(stream) + payload
  }

  static func bytes(_ number: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
  }

  static func settings(_ entries: [(UInt16, UInt32)] = []) -> [UInt8] {
    make(4, entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + bytes($0.1) })
  }

  static let settingsACK = make(4, flags: 1)

  static func data(_ stream: UInt32, _ payload: [UInt8] = [], end: Bool = false) -> [UInt8] {
    make(0, flags: end ? 1 : 0, stream: stream, payload)
  }

  /// HEADERS whose fields are literals without indexing.
  static func headers(_ stream: UInt32, _ fields: [(String, String)], end: Bool, endHeaders: Bool = true) -> [UInt8] {
    make(1, flags: (end ? 1 : 0) | (endHeaders ? 4 : 0), stream: stream, fields.flatMap { literal($0.0, $0.1) })
  }

  static func literal(_ name: String, _ value: String) -> [UInt8] {
    [0] + string(name) + string(value)
  }

  private static func string(_ text: String) -> [UInt8] {
    let count = text.utf8.count
    guard count >= 127 else { return [UInt8(count)] + Array(text.utf8) }
    var length: [UInt8] = [127]
    var rest = count - 127
    while rest >= 128 {
      length.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return length + [UInt8(rest)] + Array(text.utf8)
  }

  static func request(
    _ stream: UInt32, path: String = "/", method: String = "POST", extra: [(String, String)] = [], end: Bool = true
  ) -> [UInt8] {
    let pseudo = [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)]
    return headers(stream, pseudo + extra, end: end)
  }

  static func response(_ stream: UInt32, status: String = "200", extra: [(String, String)] = [], end: Bool) -> [UInt8] {
    headers(stream, [(":status", status)] + extra, end: end)
  }

  static func reset(_ stream: UInt32, code: UInt32 = 8) -> [UInt8] { make(3, stream: stream, bytes(code)) }
  static func ping(ack: Bool = false) -> [UInt8] { make(6, flags: ack ? 1 : 0, [UInt8](repeating: 7, count: 8)) }
  static func windowUpdate(_ stream: UInt32, _ size: UInt32) -> [UInt8] { make(8, stream: stream, bytes(size)) }
  static func goAway(last: UInt32, code: UInt32 = 0) -> [UInt8] { make(7, bytes(last) + bytes(code)) }
}

/// A frame that came from the engine.
struct SeenFrame: Equatable {
  var type: UInt8
  var flags: UInt8
  var stream: UInt32
  var payload: [UInt8]

  var code: UInt32? {
    switch type {
    case 3: number(at: 0)
    case 7: number(at: 4)
    default: nil
    }
  }

  func number(at offset: Int) -> UInt32? {
    guard payload.count >= offset + 4 else { return nil }
    return payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  static func all(in bytes: [UInt8]) -> [SeenFrame] {
    var frames: [SeenFrame] = []
    var at = bytes.starts(with: Frame.preface) ? Frame.preface.count : 0
    while at + 9 <= bytes.count {
      let length = bytes[at..<at + 3].reduce(0) { $0 << 8 | Int($1) }
      let stream = bytes[at + 5..<at + 9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      frames.append(
        SeenFrame(
          type: bytes[at + 3], flags: bytes[at + 4], stream: stream, payload: Array(bytes[at + 9..<at + 9 + length])))
      at += 9 + length
    }
    return frames
  }
}

/// A peer of a server that says what the test makes it say.
final class RawClient {
  let service = RecordingService()
  let server: HTTP2Server
  var now: UInt64 = 1
  /// What the server said, all of it.
  var seen: [SeenFrame] = []
  var fault: HTTP2Fault?

  init(limits: HTTP2Limits = HTTP2Limits()) {
    server = HTTP2Server(limits: limits, service: service, peer: PeerIdentity(address: "192.0.2.1"))
  }

  /// The connection's beginning as a well-behaved client has it.
  func greet() {
    send(Frame.preface + Frame.settings() + Frame.settingsACK)
  }

  /// Sends, then reads what the server has to say.
  func send(_ bytes: [UInt8], draining: Bool = true) {
    do { try bytes.withUnsafeBytes { try server.receive($0, now: now) } } catch { fault = error as? HTTP2Fault }
    if draining { drain() }
  }

  func drain() {
    var bytes: [UInt8] = []
    do { try server.drain { bytes.append(contentsOf: $0) } } catch { fault = error }
    seen += SeenFrame.all(in: bytes)
  }

  func frames(_ type: UInt8, stream: UInt32? = nil) -> [SeenFrame] {
    seen.filter { $0.type == type && (stream == nil || $0.stream == stream) }
  }

  var goAwayCode: UInt32? { frames(7).last?.code }

  /// Sends the same again and again until the server has enough; how often it took.
  func flood(upTo count: Int, _ make: (Int) -> [UInt8]) -> Int {
    for index in 0..<count {
      send(make(index))
      if fault != nil { return index + 1 }
    }
    return count
  }
}
