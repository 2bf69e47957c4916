/// What an HTTP/2 engine said, frame by frame: whether it is HTTP/2, and how much of it there is.
struct SaidFrames {
  private var rest: [UInt8] = []
  private var expectsPreface: Bool
  /// Bytes of DATA on each stream.
  private(set) var data: [UInt32: Int] = [:]
  /// What was given in WINDOW_UPDATE for each stream, and for the connection as stream 0.
  private(set) var credit: [UInt32: Int] = [:]
  /// Frames other than DATA.
  private(set) var controlFrames = 0
  private(set) var problem: String?
  private var openBlock: UInt32?
  private var ended: Set<UInt32> = []

  init(expectsPreface: Bool) { self.expectsPreface = expectsPreface }

  mutating func take(_ bytes: [UInt8]) {
    rest += bytes
    if expectsPreface {
      guard rest.count >= 24 else { return }
      if !rest.starts(with: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) { problem = "another preface" }
      rest.removeFirst(24)
      expectsPreface = false
    }
    var offset = 0
    while let frame = FrameView(rest[offset...]) {
      look(at: frame)
      offset += 9 + frame.payload.count
    }
    rest.removeFirst(offset)
  }

  private mutating func look(at frame: FrameView) {
    if frame.payload.count > 16_384 { problem = "a frame of \(frame.payload.count) bytes" }
    if let openBlock, frame.type != 9 || frame.stream != openBlock { problem = "a frame amid a header block" }
    switch frame.type {
    case 0:
      data[frame.stream, default: 0] += frame.payload.count
      noteEnd(frame, isEnd: frame.flags & 1 != 0)
      return
    case 1:
      openBlock = frame.flags & 4 == 0 ? frame.stream : nil
      noteEnd(frame, isEnd: frame.flags & 1 != 0)
    case 9: if frame.flags & 4 != 0 { openBlock = nil }
    case 3: ended.insert(frame.stream)
    case 8:
      let increment = frame.payload.reduce(0) { $0 << 8 | Int($1) } & 0x7fff_ffff
      if increment == 0 { problem = "an empty WINDOW_UPDATE" }
      credit[frame.stream, default: 0] += increment
    case 4, 6, 7: if frame.stream != 0 { problem = "frame type \(frame.type) on stream \(frame.stream)" }
    default: problem = "frame type \(frame.type)"
    }
    controlFrames += 1
  }

  private mutating func noteEnd(_ frame: FrameView, isEnd: Bool) {
    if frame.stream == 0 { problem = "frame type \(frame.type) on stream 0" }
    if ended.contains(frame.stream) { problem = "frame type \(frame.type) on a stream that is done" }
    if isEnd { ended.insert(frame.stream) }
  }
}

/// One frame at the start of some bytes.
struct FrameView {
  let type: UInt8
  let flags: UInt8
  let stream: UInt32
  let payload: ArraySlice<UInt8>

  /// `nil` where there is no whole frame.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count >= 9 else { return nil }
    let at = bytes.startIndex
    let length = bytes[at..<at + 3].reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count >= 9 + length else { return nil }
    type = bytes[at + 3]
    flags = bytes[at + 4]
    stream = bytes[at + 5..<at + 9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
    payload = bytes[at + 9..<at + 9 + length]
  }
}

/// The most DATA a peer's frames give leave for, if all of them counted.
struct PeerWindows {
  private var initial = 65_535
  private var updates: [UInt32: Int] = [:]
  private var data: [UInt32: Int] = [:]

  init(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    while let frame = FrameView(rest) {
      let payload = Array(frame.payload)
      switch frame.type {
      case 0: data[frame.stream, default: 0] += payload.count
      case 4: for at in stride(from: 0, to: payload.count - 5, by: 6) { setting(payload[at..<at + 6]) }
      case 8: updates[frame.stream, default: 0] += payload.prefix(4).reduce(0) { $0 << 8 | Int($1) } & 0x7fff_ffff
      default: break
      }
      rest = rest.dropFirst(9 + payload.count)
    }
  }

  private mutating func setting(_ entry: ArraySlice<UInt8>) {
    let id = entry.prefix(2).reduce(0) { $0 << 8 | Int($1) }
    let value = entry.dropFirst(2).reduce(0) { $0 << 8 | Int($1) }
    if id == 4 { initial = max(initial, value) }
  }

  /// Nothing was sent that the peer did not give leave for, and no leave given for more than what came, but for the
  /// connection's window at its start.
  func check(_ said: SaidFrames, connectionWindow: Int32) throws(FuzzFinding) {
    for (stream, credit) in said.credit {
      let start = stream == 0 ? max(0, Int(connectionWindow) - 65_535) : 0
      let came = stream == 0 ? data.values.reduce(0, +) : data[stream, default: 0]
      if credit > start + came { throw FuzzFinding("leave for \(credit) bytes when \(came) came on stream \(stream)") }
    }
    let all = said.data.values.reduce(0, +)
    let most = 65_535 + updates[0, default: 0]
    if all > most { throw FuzzFinding("\(all) bytes sent into a connection's window of \(most)") }
    for (stream, sent) in said.data where sent > initial + updates[stream, default: 0] {
      throw FuzzFinding("\(sent) bytes sent into a window of \(initial + updates[stream, default: 0])")
    }
  }
}
