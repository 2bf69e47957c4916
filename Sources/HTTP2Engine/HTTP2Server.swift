internal import CNghttp2

/// The server's side of one HTTP/2 connection: bytes in, requests to a service; answers in, bytes out.
///
/// Lives on one thread. A service may answer inside `receive` or at any time later; `wantsFlush` then tells whoever
/// owns the socket that `drain` has something to give.
public final class HTTP2Server {
  /// Called when there is something to drain that no `receive` led to.
  public var wantsFlush: (() -> Void)?

  private let limits: HTTP2Limits
  private let service: any RequestService
  private let peer: PeerIdentity
  private var session: OpaquePointer?
  private var streams: [Int32: ServerStream] = [:]
  private var meter: AbuseMeter
  private var fault: HTTP2Fault?
  private var isInside = false
  private var isShuttingDown = false
  private var isLost = false

  /// Begins a connection.
  public init(limits: HTTP2Limits, service: any RequestService, peer: PeerIdentity) {
    self.limits = limits
    self.service = service
    self.peer = peer
    meter = AbuseMeter(limits.abuse)
    // SAFETY: the session gets an unretained pointer to this object and is deleted in `deinit`; its callbacks run
    // only inside calls made by methods of this object, which keep it alive.
    nghttp2_session_server_new2(
      &session, ServerCallbacks.table.raw, Unmanaged.passUnretained(self).toOpaque(), SessionOptions.shared.raw)
    let settings = [
      Frame.setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, UInt32(limits.maxConcurrentStreams)),
      Frame.setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(limits.streamWindow)),
      Frame.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(limits.headerBytesMax)),
    ]
    nghttp2_submit_settings(session, Frame.none, settings, settings.count)
    nghttp2_session_set_local_window_size(session, Frame.none, 0, limits.connectionWindow)
  }

  deinit { nghttp2_session_del(session) }

  // MARK: Use

  /// Takes in what the peer sent; `now` is monotonic, in nanoseconds. After a fault only `drain` is of use.
  public func receive(_ bytes: UnsafeRawBufferPointer, now: UInt64) throws(HTTP2Fault) {
    if let fault { throw fault }
    guard !isLost, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), !bytes.isEmpty else { return }
    meter.refill(now: now)
    isInside = true
    let count = nghttp2_session_mem_recv(session, base, bytes.count)
    isInside = false
    if let fault { throw fault }
    if count < 0 { throw stop(HTTP2Fault(.protocolError, code: Int32(count))) }
    if nghttp2_session_get_outbound_queue_size(session) > limits.outboundFramesMax {
      throw stop(HTTP2Fault(.outboundQueueFull))
    }
  }

  /// Gives out every pending block of bytes; a block is valid during the call only.
  public func drain(_ sink: (UnsafeRawBufferPointer) -> Void) throws(HTTP2Fault) {
    guard !isLost else { return }
    isInside = true
    defer { isInside = false }
    while true {
      var block: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &block)
      if count < 0 { throw stop(HTTP2Fault(.protocolError, code: Int32(count))) }
      if count == 0 { return }
      sink(UnsafeRawBufferPointer(start: block, count: count))
    }
  }

  /// Says goodbye: requests in flight finish, new ones are not taken.
  public func shutdown() {
    guard !isShuttingDown else { return }
    isShuttingDown = true
    let last = nghttp2_session_get_last_proc_stream_id(session)
    nghttp2_submit_goaway(session, Frame.none, last, Frame.noError, nil, 0)
    flushLater()
  }

  /// Whether nothing more can happen here.
  public var isDone: Bool {
    if isLost { return true }
    if nghttp2_session_want_write(session) != 0 { return false }
    return nghttp2_session_want_read(session) == 0 || (isShuttingDown && streams.isEmpty)
  }

  /// Requests in flight.
  public var activeStreams: Int { streams.count }

  /// The socket is gone: every request is given up.
  public func connectionLost() {
    isLost = true
    let left = streams
    streams = [:]
    for stream in left.values { stream.abandon() }
  }

  // MARK: For streams

  func answer(_ stream: ServerStream, _ response: Response) {
    guard !isLost, streams[stream.id] === stream else { return }
    var fields = response.fields
    let isGRPC = response.trailers.count > 0 || response.fields["grpc-status"] != nil
    if !isGRPC { fields.append("content-length", String(response.body.count)) }
    stream.outbound = OutboundBody(body: response.body, trailers: response.trailers)
    let hasBody = !response.body.isEmpty || response.trailers.count > 0
    var provider = nghttp2_data_provider()
    provider.read_callback = ServerCallbacks.read
    _ = NameValueList.with([(":status", String(response.status))], fields) { list, count in
      hasBody
        ? nghttp2_submit_response(session, stream.id, list, count, &provider)
        : nghttp2_submit_response(session, stream.id, list, count, nil)
    }
    flushLater()
  }

  func consume(_ stream: ServerStream, _ byteCount: Int) {
    let count = min(byteCount, stream.unconsumed)
    guard count > 0, !isLost else { return }
    stream.unconsumed -= count
    nghttp2_session_consume(session, stream.id, count)
    flushLater()
  }

  private func flushLater() {
    if !isInside { wantsFlush?() }
  }

  // MARK: nghttp2's events

  fileprivate func began(_ id: Int32) {
    if streams[id] == nil { streams[id] = ServerStream(id, self, limits: limits) }
  }

  fileprivate func field(_ id: Int32, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    streams[id]?.add(name, value)
  }

  /// A frame's header arrived: what costs us and brings nothing is counted here.
  fileprivate func frameBegan(type: UInt8, flags: UInt8, length: Int) {
    switch type {
    case Frame.data:
      if length > 0 { meter.earn(1 + length / 4096) } else if flags & Frame.endStream == 0 { spend(1, .emptyData) }
    case Frame.headers, Frame.continuation, Frame.goAway: break
    case Frame.rstStream: spend(4, .resets)
    case Frame.ping: if flags & Frame.ack == 0 { spend(1, .pings) }
    case Frame.settings: if flags & Frame.ack == 0 { spend(10, .settings) }
    case Frame.priority: spend(1, .priorities)
    case Frame.windowUpdate: spend(1, .windowUpdates)
    default: spend(1, .unknownFrames)
    }
  }

  fileprivate func frameSent(type: UInt8, id: Int32, errorCode: UInt32, endsStream: Bool) {
    if type == Frame.rstStream {
      switch errorCode {
      case Frame.noError: break
      case Frame.refusedStream: spend(10, .refusedStreams)
      default: spend(20, .provokedResets)
      }
    } else if endsStream, let stream = streams[id], !stream.isComplete {
      // The answer is out and the peer still sends: it is told to stop (RFC 9113 8.1).
      nghttp2_submit_rst_stream(session, Frame.none, id, Frame.noError)
    }
  }

  fileprivate func headEnded(_ id: Int32) {
    guard let stream = streams[id], !stream.hasOpened else { return }
    stream.hasOpened = true
    switch stream.head() {
    case .failure(let refusal): stream.respond(Response(status: refusal.status))
    case .success(let head):
      let receiver = service.begin(head, from: peer, responder: stream)
      if !stream.isAnswered { stream.receiver = receiver }
    }
  }

  fileprivate func data(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
    guard let stream = streams[id] else {
      nghttp2_session_consume_connection(session, bytes.count)
      return
    }
    stream.unconsumed += bytes.count
    guard let receiver = stream.receiver else { return consume(stream, bytes.count) }
    receiver.receive(bytes)
  }

  fileprivate func bodyEnded(_ id: Int32) {
    guard let stream = streams[id] else { return }
    stream.isComplete = true
    meter.earn(4)
    let receiver = stream.receiver
    receiver?.finish()
  }

  fileprivate func closed(_ id: Int32) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    if stream.unconsumed > 0 { nghttp2_session_consume_connection(session, stream.unconsumed) }
    stream.unconsumed = 0
    stream.abandon()
  }

  fileprivate func read(
    _ id: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ flags: UnsafeMutablePointer<UInt32>?
  ) -> Int {
    guard let stream = streams[id] else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
    return stream.outbound.fill(buffer, flags, session: session, stream: id)
  }

  private func spend(_ tokens: Int, _ kind: HTTP2Fault.Kind) {
    if !meter.spend(tokens), fault == nil {
      fault = HTTP2Fault(kind)
      nghttp2_session_terminate_session(session, Frame.enhanceYourCalm)
    }
  }

  private func stop(_ newFault: HTTP2Fault) -> HTTP2Fault {
    fault = newFault
    return newFault
  }
}

/// nghttp2's callbacks of a server. None of them traps or throws: what they are given was sent by a peer.
private enum ServerCallbacks {
  static let table = SessionCallbacks { table in
    nghttp2_session_callbacks_set_on_begin_headers_callback(table) { _, frame, user in
      guard let head = frame?.pointee.hd, head.type == Frame.headers else { return 0 }
      of(user)?.began(head.stream_id)
      return 0
    }
    nghttp2_session_callbacks_set_on_header_callback(table) { _, frame, name, nameLength, value, valueLength, _, user in
      guard let head = frame?.pointee.hd else { return 0 }
      of(user)?.field(
        head.stream_id, UnsafeBufferPointer(start: name, count: nameLength),
        UnsafeBufferPointer(start: value, count: valueLength))
      return 0
    }
    nghttp2_session_callbacks_set_on_begin_frame_callback(table) { _, head, user in
      guard let head = head?.pointee else { return 0 }
      of(user)?.frameBegan(type: head.type, flags: head.flags, length: head.length)
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(table) { _, frame, user in
      guard let head = frame?.pointee.hd, head.type == Frame.headers || head.type == Frame.data else { return 0 }
      let server = of(user)
      if head.type == Frame.headers { server?.headEnded(head.stream_id) }
      if head.flags & Frame.endStream != 0 { server?.bodyEnded(head.stream_id) }
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, id, data, length, user in
      of(user)?.data(id, UnsafeRawBufferPointer(start: data, count: length))
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, id, _, user in
      of(user)?.closed(id)
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, user in
      guard let frame else { return 0 }
      let head = frame.pointee.hd
      let code = head.type == Frame.rstStream ? frame.pointee.rst_stream.error_code : 0
      let ends = (head.type == Frame.headers || head.type == Frame.data) && head.flags & Frame.endStream != 0
      of(user)?.frameSent(type: head.type, id: head.stream_id, errorCode: code, endsStream: ends)
      return 0
    }
  }

  static let read: nghttp2_data_source_read_callback = { _, id, buffer, length, flags, _, user in
    guard let server = of(user) else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
    return server.read(id, UnsafeMutableRawBufferPointer(start: buffer, count: length), flags)
  }

  private static func of(_ user: UnsafeMutableRawPointer?) -> HTTP2Server? {
    user.map { Unmanaged<HTTP2Server>.fromOpaque($0).takeUnretainedValue() }
  }
}
