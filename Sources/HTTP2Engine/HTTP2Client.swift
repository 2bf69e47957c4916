internal import CNghttp2

/// The client's side of one HTTP/2 connection: requests with whole bodies out, whole responses in.
///
/// Lives on one thread. Completions are called inside `receive`, `drain`, `cancel` or `connectionLost`.
public final class HTTP2Client {
  /// Called when there is something to drain that no `receive` led to.
  public var wantsFlush: (() -> Void)?
  /// The peer still takes new requests.
  public private(set) var acceptsNewRequests = true

  private let limits: HTTP2ClientLimits
  private var session: OpaquePointer?
  private var streams: [Int32: ClientStream] = [:]
  private var meter: AbuseMeter
  private var fault: HTTP2Fault?
  private var isInside = false
  private var isLost = false

  /// Begins a connection; the preface is the first thing to drain.
  public init(limits: HTTP2ClientLimits = HTTP2ClientLimits()) {
    self.limits = limits
    meter = AbuseMeter(limits.abuse)
    // SAFETY: the session gets an unretained pointer to this object and is deleted in `deinit`; its callbacks run
    // only inside calls made by methods of this object, which keep it alive.
    nghttp2_session_client_new2(
      &session, ClientCallbacks.table.raw, Unmanaged.passUnretained(self).toOpaque(), SessionOptions.shared.raw)
    let settings = [
      Frame.setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0),
      Frame.setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(limits.streamWindow)),
      Frame.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(limits.headerBytesMax)),
    ]
    nghttp2_submit_settings(session, Frame.none, settings, settings.count)
    nghttp2_session_set_local_window_size(session, Frame.none, 0, limits.connectionWindow)
  }

  deinit { nghttp2_session_del(session) }

  // MARK: Use

  /// Requests in flight.
  public var activeRequests: Int { streams.count }
  /// Requests the peer allows in flight, by its SETTINGS.
  public var concurrencyMax: Int {
    Int(nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
  }
  /// Whether one more request may be sent now.
  public var canSubmit: Bool {
    acceptsNewRequests && !isLost && fault == nil && streams.count < concurrencyMax
      && nghttp2_session_check_request_allowed(session) != 0
  }

  /// Sends a request whose body is in two pieces, and returns its stream; `nil` when none can be sent.
  public func submit(
    _ request: ClientRequest, prefix: [UInt8] = [], body: [UInt8],
    completion: @escaping (Result<ClientResponse, ClientFailure>) -> Void
  ) -> Int32? {
    guard canSubmit else { return nil }
    let stream = ClientStream(OutboundBody(prefix: prefix, body: body), limits: limits, completion: completion)
    let pseudo: [(name: StaticString, value: String)] = [
      (":method", request.method), (":scheme", request.scheme), (":authority", request.authority),
      (":path", request.path),
    ]
    var provider = nghttp2_data_provider()
    provider.read_callback = ClientCallbacks.read
    let id = NameValueList.with(pseudo, request.fields) { list, count in
      stream.outbound.isSent
        ? nghttp2_submit_request(session, nil, list, count, nil, nil)
        : nghttp2_submit_request(session, nil, list, count, &provider, nil)
    }
    guard id > 0 else { return nil }
    streams[id] = stream
    flushLater()
    return id
  }

  /// Resets a request's stream; its completion is called with a failure, now.
  public func cancel(_ id: Int32) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    nghttp2_submit_rst_stream(session, Frame.none, id, Frame.cancel)
    stream.end(.reset(code: Frame.cancel))
    flushLater()
  }

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

  /// Gives out pending blocks of bytes until `sink` has had `byteCount` of them; a block is valid during the call only.
  /// Whether there may be more.
  @discardableResult
  public func drain(
    upTo byteCount: Int = .max, _ sink: (UnsafeRawBufferPointer) -> Void
  ) throws(HTTP2Fault) -> Bool {
    guard !isLost else { return false }
    isInside = true
    defer { isInside = false }
    var given = 0
    while given < byteCount {
      var block: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &block)
      if count < 0 { throw stop(HTTP2Fault(.protocolError, code: Int32(count))) }
      if count == 0 { return false }
      sink(UnsafeRawBufferPointer(start: block, count: count))
      given += count
    }
    return true
  }

  /// The socket is gone: every request fails.
  public func connectionLost() {
    isLost = true
    let left = streams
    streams = [:]
    for stream in left.values { stream.end(.connectionLost) }
  }

  private func flushLater() {
    if !isInside { wantsFlush?() }
  }

  // MARK: nghttp2's events

  fileprivate func field(_ id: Int32, _ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
    streams[id]?.add(name, value)
  }

  fileprivate func frameBegan(type: UInt8, flags: UInt8, length: Int) {
    switch type {
    case Frame.data:
      if length > 0 { meter.earn(1 + length / 4096) } else if flags & Frame.endStream == 0 { spend(1, .emptyData) }
    case Frame.headers, Frame.continuation: break
    case Frame.rstStream: spend(4, .resets)
    case Frame.goAway:
      acceptsNewRequests = false
      spend(100, .goAways)
    case Frame.ping: if flags & Frame.ack == 0 { spend(1, .pings) }
    case Frame.settings: if flags & Frame.ack == 0 { spend(10, .settings) }
    case Frame.priority: spend(1, .priorities)
    case Frame.windowUpdate: spend(1, .windowUpdates)
    default: spend(1, .unknownFrames)
    }
  }

  /// What was sent is useful work: the peer's WINDOW_UPDATEs answer it.
  fileprivate func frameSent(length: Int) { meter.earn(2 + length / 1024) }

  fileprivate func headerListEnded(_ id: Int32) {
    streams[id]?.headerListEnded()
    cutOff(id)
  }

  fileprivate func data(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
    streams[id]?.receive(bytes)
    nghttp2_session_consume(session, id, bytes.count)
    cutOff(id)
  }

  /// Resets a stream whose response is past its limit.
  private func cutOff(_ id: Int32) {
    if streams[id]?.isTooLarge == true { nghttp2_submit_rst_stream(session, Frame.none, id, Frame.cancel) }
  }

  fileprivate func ended(_ id: Int32) { streams[id]?.complete() }

  fileprivate func closed(_ id: Int32, code: UInt32) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    meter.earn(4)
    stream.end(code == Frame.refusedStream ? .goneAway : .reset(code: code))
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

/// nghttp2's callbacks of a client. None of them traps or throws: what they are given was sent by a peer.
private enum ClientCallbacks {
  static let table = SessionCallbacks { table in
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
      let client = of(user)
      if head.type == Frame.headers { client?.headerListEnded(head.stream_id) }
      if head.flags & Frame.endStream != 0 { client?.ended(head.stream_id) }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_send_callback(table) { _, frame, user in
      guard let head = frame?.pointee.hd, head.type == Frame.headers || head.type == Frame.data else { return 0 }
      of(user)?.frameSent(length: head.length)
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table) { _, _, id, data, length, user in
      of(user)?.data(id, UnsafeRawBufferPointer(start: data, count: length))
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(table) { _, id, code, user in
      of(user)?.closed(id, code: code)
      return 0
    }
  }

  static let read: nghttp2_data_source_read_callback = { _, id, buffer, length, flags, _, user in
    guard let client = of(user) else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
    return client.read(id, UnsafeMutableRawBufferPointer(start: buffer, count: length), flags)
  }

  private static func of(_ user: UnsafeMutableRawPointer?) -> HTTP2Client? {
    user.map { Unmanaged<HTTP2Client>.fromOpaque($0).takeUnretainedValue() }
  }
}
