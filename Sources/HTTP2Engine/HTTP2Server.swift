/// The server's side of one HTTP/2 connection, without I/O. Lives on one event loop.
///
/// The transport hands over what it read (`receive`), then writes what `drain` gives. When either throws, it drains
/// once more, writes that, and closes. When the connection is gone it says so with `connectionLost`.
public final class HTTP2Server {
  let session: HTTP2Session
  let service: any RequestService
  let peer: PeerIdentity
  /// The path of the request before: one connection's requests are mostly for the same.
  private var lastPath = ""
  private var isShuttingDown = false
  private var isLastGoAwaySent = false
  /// Streams that are answered and whose body still comes, the longest answered first.
  private var lingering: [Int32] = []
  private let lingeringMax: Int
  private let streamsMax: Int
  /// Bytes of a body that are read after the answer: what may have been on its way.
  let uselessBytesMax: Int
  private static let shutdownPing: UInt64 = 0x6c6f_6e67_7370_616e

  /// Begins a connection: SETTINGS wait to be drained at once.
  public init(limits: HTTP2Limits, service: any RequestService, peer: PeerIdentity) {
    self.service = service
    self.peer = peer
    streamsMax = max(limits.maxConcurrentStreams, 0)
    lingeringMax = limits.maxConcurrentStreams / 2
    uselessBytesMax = Int(limits.streamWindow)
    session = HTTP2Session(SessionLimits(limits))
    session.serve(self)
  }

  deinit { session.abandon() }

  /// Called when an answer or credit waits to be drained that came outside of `receive` and `drain`; at most once
  /// between two drains. The transport always drains after `receive`.
  public var wantsFlush: (() -> Void)? {
    get { session.wantsFlush }
    set { session.wantsFlush = newValue }
  }

  /// Takes in what the peer sent; `now` is monotonic, in nanoseconds. Must not be called from inside itself.
  public func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) throws(HTTP2Fault) {
    try session.receive(bytes, now: now)
  }

  /// Hands every waiting block to `sink`. Blocks are small and many: the caller appends them to one buffer. A block is
  /// valid during the call only. A fault is thrown behind the last block. Receivers may be cancelled from in here.
  /// From inside `receive` this does nothing.
  public func drain(_ sink: (UnsafeRawBufferPointer) -> Void) throws(HTTP2Fault) {
    _ = try session.drain(upTo: .max, sink)
  }

  /// The same, until `byteCount` bytes or a block more went; whether more may be left.
  public func drain(
    upTo byteCount: Int, _ sink: (UnsafeRawBufferPointer) -> Void
  ) throws(HTTP2Fault) -> Bool {
    try session.drain(upTo: byteCount, sink)
  }

  /// Says goodbye: requests that are in flight finish; so do those that are on their way, while others are in flight.
  public func shutdown() {
    guard !isShuttingDown else { return }
    isShuttingDown = true
    for id in lingering { stopUpload(id) }
    // A client whose connection is idle may not look at it for hours: its answer is not waited for.
    guard activeStreams > 0 else { return sendLastGoAway() }
    // The number of the last stream is told when the peer has seen the notice, a round trip later (RFC 9113 6.8).
    session.submitShutdownNotice()
    session.ping(Self.shutdownPing)
  }

  /// The peer sends no more: what is incomplete is cancelled, what is complete is still answered.
  public func inputEnded() {
    for case let stream as ServerStream in Array(session.streams.values) where !stream.isRemoteEnded {
      stream.cancel()
    }
    shutdown()
  }

  /// An answer was sent while the body still comes: the peer has time to notice. Those streams are not allowed to fill
  /// the connection.
  func streamLingers(_ stream: ServerStream) {
    lingering.append(stream.id)
    if isShuttingDown {
      stream.stopUpload()
    } else if lingering.count > lingeringMax, let first = lingering.first {
      stopUpload(first)
    }
  }

  private func stopUpload(_ id: Int32) { (session.streams[id] as? ServerStream)?.stopUpload() }

  /// A request is done.
  func streamClosed(_ id: Int32, lingered: Bool) {
    if lingered { lingering.removeAll { $0 == id } }
    if isShuttingDown, activeStreams == 0 { sendLastGoAway() }
  }

  private func sendLastGoAway() {
    guard !isLastGoAwaySent else { return }
    isLastGoAwaySent = true
    session.submitGoAway()
  }

  /// The connection is gone: receivers are cancelled, answers that come later do nothing.
  public func connectionLost() { session.connectionLost() }

  /// Nothing is left to be read or written: the transport may close.
  public var isDone: Bool { session.isDone }

  /// Whether the last `receive` began no field block and no DATA: nobody has asked for anything.
  public var hasOnlyControl: Bool { session.seen == .control }

  /// Whether `drain` would give something now.
  public var hasOutput: Bool { session.hasOutput }

  /// Requests that are not done yet.
  public var activeStreams: Int { session.streams.count }

  /// The fault that ended the connection, if one did.
  public var fault: HTTP2Fault? { session.fault }

  /// Requests that were refused here since this was last asked, which no service knows of.
  public func takeRefusals() -> StreamRefusals {
    defer { session.refusals = StreamRefusals() }
    return session.refusals
  }

  /// The path as a string; the same string again where it is the same path.
  func path(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    if !lastPath.utf8.elementsEqual(bytes) { lastPath = String(decoding: bytes, as: UTF8.self) }
    return lastPath
  }
}

extension HTTP2Server: SessionOwner {
  func openStream(_ id: Int32) -> HTTP2Stream? {
    guard activeStreams < streamsMax else { return nil }
    return ServerStream(id: id, session: session, server: self)
  }

  func pongReceived(_ payload: UInt64) {
    if payload == Self.shutdownPing, isShuttingDown { sendLastGoAway() }
  }

  func goAwayReceived() {}
}
