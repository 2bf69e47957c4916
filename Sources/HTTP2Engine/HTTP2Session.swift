internal import CNghttp2

/// What a session tells the side that it serves; always from inside `receive` or `drain`.
protocol SessionOwner: AnyObject {
  /// The peer opens a stream; nil where that is not for it to do.
  func openStream(_ id: Int32) -> HTTP2Stream?
  func pongReceived(_ payload: UInt64)
  func goAwayReceived()
}

/// One nghttp2 session and its streams: bytes in, bytes out, faults. Both sides are built on it.
///
/// nghttp2 calls back from inside `receive` and `drain`; the callbacks (SessionCallbacks.swift) land in the methods of
/// SessionEvents.swift. Those may submit to nghttp2 but not drive it, so a fault that is found there is only noted and
/// acted on when nghttp2 has returned.
final class HTTP2Session {
  let limits: SessionLimits
  let raw: OpaquePointer
  // SAFETY: the owner holds this session and calls `abandon` in its own deinit, which sets this to nil.
  unowned(unsafe) private(set) var owner: (any SessionOwner)?
  /// Called when there is something to drain that neither `receive` nor `drain` knows of; once until the next drain.
  var wantsFlush: (() -> Void)?
  var streams: [Int32: HTTP2Stream] = [:]

  var meter: AbuseMeter
  private var scanner: FrameScanner
  /// CONTINUATION frames since another frame came.
  private var continuations = 0
  /// What kinds of frames the last read brought.
  private(set) var seen: FrameKinds = []
  /// Frames that were made in the middle of a read, and how many; drained first.
  private var early: (bytes: [UInt8], frames: Int) = ([], 0)
  private var isAnnounced = false
  var refusals = StreamRefusals()
  /// Bytes of responses that are not whole.
  var heldResponseBytes = 0
  private(set) var isInside = false
  /// Where bodies go while nghttp2 makes frames, and how many bytes went there since it was called.
  private var sink: ((UnsafeRawBufferPointer) -> Void)?
  private var dataBytesSent = 0
  var isFlushAsked = false
  private var noted: HTTP2Fault?
  /// The fault that ended the connection, once one did.
  private(set) var fault: HTTP2Fault?
  private(set) var isLost = false
  /// The peer's first SETTINGS came.
  var hasPeerSettings = false
  /// The stream whose header block has begun and is not whole.
  var openHeaderBlock: Int32?
  /// A long read is worked on in pieces of at most so many bytes.
  private static let pieceBytesMax = 16 << 10

  init(_ limits: SessionLimits) {
    self.limits = limits
    meter = AbuseMeter(limits.abuse)
    let isServer = if case .server = limits.side { true } else { false }
    scanner = FrameScanner(expectsPreface: isServer)
    raw = SessionCallbacks.newSession(isServer: isServer)
    // SAFETY: nghttp2 calls back only from inside calls that `self` makes on `raw`, and `raw` dies with `self`.
    nghttp2_session_set_user_data(raw, Unmanaged.passUnretained(self).toOpaque())
    submitSettings()
  }

  deinit {
    for stream in streams.values { _ = stream.detach() }
    nghttp2_session_del(raw)
  }

  /// Whose streams these are; before the first `receive`.
  func serve(_ owner: any SessionOwner) { self.owner = owner }

  /// The owner goes away.
  func abandon() {
    connectionLost()
    owner = nil
    wantsFlush = nil
  }

  private func submitSettings() {
    func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
      nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(min(max(value, 0), Int(Int32.max))))
    }
    var entries = [
      entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Int(limits.streamWindow)),
      entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headerBytesMax),
    ]
    switch limits.side {
    case .server:
      // What the peer is told is put in by `announce`, and held to by `HTTP2Server.openStream`.
      entries.append(entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Int(Int32.max)))
      // The priority tree of RFC 7540 is work that peers can make us do for nothing.
      entries.append(entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1))
    case .client:
      entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
    }
    note(nghttp2_submit_settings(raw, 0, entries, entries.count))
    note(nghttp2_session_set_local_window_size(raw, 0, 0, max(limits.connectionWindow, 0)))
  }

  // MARK: Bytes

  /// Takes in what the peer sent. After a fault: drain once more, write that, close.
  func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) throws(HTTP2Fault) {
    precondition(!isInside, "HTTP/2 bytes were received from inside a receiver or a sink")
    if let fault { throw fault }
    guard !isLost, !bytes.isEmpty else { return }
    meter.advance(to: now)
    seen = []
    var rest = bytes[...]
    while true {
      take(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.pieceBytesMax)))
      rest = rest.dropFirst(Self.pieceBytesMax)
      guard noted == nil, !rest.isEmpty else { break }
      answerEarly()
    }
    try endIfFaulty()
  }

  private func take(_ piece: UnsafeRawBufferPointer) {
    count(piece.bytes)
    guard noted == nil, let start = piece.baseAddress else { return }
    isInside = true
    let taken = nghttp2_session_mem_recv(raw, start.assumingMemoryBound(to: UInt8.self), piece.count)
    isInside = false
    if taken < 0 { note(Int32(clamping: taken)) }
    if nghttp2_session_get_outbound_queue_size(raw) &+ early.frames > max(limits.outboundFramesMax, 1) {
      note(HTTP2Fault(.outboundQueueFull))
    }
  }

  /// Makes the frames, DATA apart, that a piece of a long read led to, so that their consequences count before the next
  /// piece: streams that are over by them, and resets that the peer provoked.
  private func answerEarly() {
    guard case .server = limits.side else { return }
    while nghttp2_session_get_outbound_queue_size(raw) > 0 {
      guard !pump(upTo: 1, { early.bytes.append(contentsOf: $0) }) else { return }
      early.frames += 1
    }
  }

  /// Hands every block that waits to the sink, until at least `byteCount` bytes went; says whether more is left.
  /// A block is valid during the call only. A fault is thrown behind the last block.
  func drain(upTo byteCount: Int, _ sink: (UnsafeRawBufferPointer) -> Void) throws(HTTP2Fault) -> Bool {
    guard !isInside, isUsable else { return false }
    isFlushAsked = false
    if early.frames > 0 {
      early.bytes.withUnsafeBytes { sink($0) }
      early = ([], 0)
    }
    guard pump(upTo: byteCount, sink) else { return true }
    let isNew = fault == nil && noted != nil
    do {
      try endIfFaulty()
    } catch {
      _ = pump(upTo: .max, sink)
      if isNew { throw error }
    }
    return false
  }

  /// Whether there is any use in submitting something.
  var isUsable: Bool { !isLost && !isCodecDead }

  /// nghttp2 is not to be called after a fatal error, except to free it.
  private var isCodecDead: Bool { (fault?.code ?? 0) < 0 }

  private func pump(upTo byteCount: Int, _ sink: (UnsafeRawBufferPointer) -> Void) -> Bool {
    withoutActuallyEscaping(sink) { sink in
      isInside = true
      self.sink = sink
      defer {
        isInside = false
        self.sink = nil
      }
      var left = byteCount
      while left > 0 {
        var block: UnsafePointer<UInt8>?
        dataBytesSent = 0
        let size = nghttp2_session_mem_send(raw, &block)
        if size < 0 { note(Int32(clamping: size)) }
        guard size > 0 || (size == 0 && dataBytesSent > 0) else { return true }
        left = left &- size &- dataBytesSent
        guard size > 0 else { continue }
        let frame = UnsafeRawBufferPointer(start: block, count: size)
        if isAnnounced { sink(frame) } else { announce(frame, sink) }
      }
      return false
    }
  }

  /// Hands on a DATA frame: its head, and so many bytes of the stream's body from where they are. False where the stream
  /// is not there any more.
  func sendData(head: UnsafeRawBufferPointer, _ byteCount: Int, on id: Int32) -> Bool {
    guard let sink, let stream = streams[id], stream.outgoing.left >= byteCount else { return false }
    sink(head)
    stream.outgoing.send(byteCount, sink)
    dataBytesSent &+= head.count &+ byteCount
    return true
  }

  /// Hands on the first frame, a server's SETTINGS, with the number of streams that it allows put in. nghttp2 is told
  /// of no number: it would end a connection for one stream too many, where RFC 9113 5.1.2 has that stream refused.
  private func announce(_ frame: UnsafeRawBufferPointer, _ sink: (UnsafeRawBufferPointer) -> Void) {
    isAnnounced = true
    guard case .server(let maxConcurrentStreams) = limits.side, frame.count > 9, frame[3] == FrameType.settings else {
      return sink(frame)
    }
    var settings = Array(frame)
    for entry in stride(from: 9, through: settings.count - 6, by: 6)
    where settings[entry] == 0 && settings[entry + 1] == UInt8(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue) {
      let number = UInt32(min(max(maxConcurrentStreams, 0), Int(Int32.max)))
      withUnsafeBytes(of: number.bigEndian) { settings.replaceSubrange(entry + 2..<entry + 6, with: $0) }
    }
    settings.withUnsafeBytes { sink($0) }
  }

  /// Nothing is to be read or written any more: the connection can be closed.
  var isDone: Bool {
    !isUsable || (nghttp2_session_want_read(raw) == 0 && !hasOutput)
  }

  /// Whether `drain` would give something.
  var hasOutput: Bool { isUsable && (early.frames > 0 || nghttp2_session_want_write(raw) != 0) }

  /// The connection ended: every stream learns it, and nothing is done any more.
  func connectionLost() {
    guard !isLost else { return }
    isLost = true
    let orphans = streams
    streams = [:]
    for stream in orphans.values {
      nghttp2_session_set_stream_user_data(raw, stream.id, nil)
      _ = stream.detach()
      stream.closed(nil)
    }
  }

  // MARK: Faults

  private func count(_ bytes: RawSpan) {
    var offset = 0
    while noted == nil, let head = scanner.next(in: bytes, at: &offset) {
      seen.formUnion(head.kind)
      continuations = head.type == FrameType.continuation ? continuations &+ 1 : 0
      if continuations > SessionCallbacks.continuationsMax { return note(HTTP2Fault(.continuations)) }
      if let suspicion = head.suspicion { charge(suspicion) }
    }
  }

  func charge(_ kind: HTTP2Fault.Kind) {
    if !meter.charge(kind) { note(HTTP2Fault(meter.suspect ?? kind)) }
  }

  func note(_ found: HTTP2Fault) {
    if noted == nil { noted = found }
  }

  /// Notes what a fatal answer of nghttp2 means; other answers are not faults of the connection.
  func note(_ code: Int32) {
    guard nghttp2_is_fatal(code) != 0 else { return }
    switch code {
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue: noted = HTTP2Fault(.continuations, code: code)
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: noted = HTTP2Fault(.badPreface, code: code)
    case NGHTTP2_ERR_FLOODED.rawValue: noted = HTTP2Fault(.outboundQueueFull, code: code)
    default: noted = HTTP2Fault(.protocolError, code: code)
    }
  }

  private func endIfFaulty() throws(HTTP2Fault) {
    guard let noted else { return }
    if fault == nil {
      fault = noted
      if noted.code == 0 { nghttp2_session_terminate_session(raw, NGHTTP2_ENHANCE_YOUR_CALM.rawValue) }
    }
    throw fault ?? noted
  }
}
