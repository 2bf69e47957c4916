internal import CNghttp2

/// nghttp2's callbacks and options, the same for every session of a side, made once.
///
/// Every callback finds its session through the user data. None throws, and none traps on what a peer sent.
enum SessionCallbacks {
  /// A frame of so many bytes and its nine bytes of head fill one TLS record.
  static let dataFrameBytesMax = 16_375
  /// CONTINUATION frames of one header block. More is a flood, which the session sees.
  static let continuationsMax = 8

  /// Makes a session of nghttp2; freed by its `HTTP2Session`.
  static func newSession(isServer: Bool) -> OpaquePointer {
    var raw: OpaquePointer?
    let make = isServer ? nghttp2_session_server_new2 : nghttp2_session_client_new2
    let code = make(&raw, shared.callbacks, nil, shared.options)
    guard code == 0, let raw else { preconditionFailure("nghttp2 has no memory for a session") }
    return raw
  }

  // SAFETY: both are written here once and only read afterwards; nghttp2 copies them into each session.
  private struct Shared: @unchecked Sendable {
    let callbacks: OpaquePointer
    let options: OpaquePointer
  }

  private static let shared: Shared = {
    var callbacks: OpaquePointer?
    var options: OpaquePointer?
    guard nghttp2_session_callbacks_new(&callbacks) == 0, nghttp2_option_new(&options) == 0,
      let callbacks, let options
    else { preconditionFailure("nghttp2 has no memory for its options") }
    nghttp2_option_set_no_auto_window_update(options, 1)
    nghttp2_option_set_stream_reset_rate_limit(options, 1000, 100)
    // The session has a cap of its own on frames that wait, and names what they are.
    nghttp2_option_set_max_outbound_ack(options, .max)
    // Neither does it count CONTINUATION frames by this: 1.52 counts the reads in which one's head comes.
    nghttp2_option_set_max_continuations(options, 1000)
    setReceiving(callbacks)
    setSending(callbacks)
    return Shared(callbacks: callbacks, options: options)
  }()

  private static func session(_ userData: UnsafeMutableRawPointer?) -> HTTP2Session? {
    guard let userData else { return nil }
    // SAFETY: the session put itself there and is alive: nghttp2 calls back only from inside the session's own calls.
    return Unmanaged<HTTP2Session>.fromOpaque(userData).takeUnretainedValue()
  }

  private static func setReceiving(_ callbacks: OpaquePointer) {
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, userData in
      guard let frame, let session = SessionCallbacks.session(userData) else { return 0 }
      let opens = frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
      let isTaken = session.headersBegan(frame.pointee.hd.stream_id, opens: opens)
      return isTaken ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, frame, name, nameCount, value, valueCount, _, userData in
      guard let frame, let session = SessionCallbacks.session(userData),
        let stream = session.stream(frame.pointee.hd.stream_id)
      else { return 0 }
      let verdict = stream.header(
        name: UnsafeBufferPointer(start: name, count: nameCount),
        value: UnsafeBufferPointer(start: value, count: valueCount))
      guard verdict == .reset else { return 0 }
      session.submitted(nghttp2_submit_rst_stream(session.raw, 0, stream.id, NGHTTP2_ENHANCE_YOUR_CALM.rawValue))
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, count, userData in
      SessionCallbacks.session(userData)?.dataReceived(id, UnsafeRawBufferPointer(start: data, count: count))
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, userData in
      if let frame { SessionCallbacks.session(userData)?.frameReceived(frame) }
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, userData in
      SessionCallbacks.session(userData)?.streamClosed(id, code)
      return 0
    }
  }

  private static func setSending(_ callbacks: OpaquePointer) {
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, userData in
      if let frame { SessionCallbacks.session(userData)?.frameSent(frame) }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, userData in
      if let frame, frame.pointee.hd.type == FrameType.headers {
        SessionCallbacks.session(userData)?.headersNotSent(frame.pointee.hd.stream_id)
      }
      return 0
    }
    nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks) {
      _, _, _, session, stream, frameMax, _ in
      min(SessionCallbacks.dataFrameBytesMax, Int(session), Int(stream), Int(frameMax))
    }
    nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, head, count, _, userData in
      guard let frame, let session = SessionCallbacks.session(userData) else {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
      }
      let isSent = session.sendData(
        head: UnsafeRawBufferPointer(start: head, count: 9), count, on: frame.pointee.hd.stream_id)
      // One frame a turn: between two of them `pump` sees how much went.
      return isSent ? NGHTTP2_ERR_PAUSE.rawValue : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }
  }

  /// What nghttp2 asks for a stream's body, piece by piece. The bytes themselves go past it, to `sendData`.
  static let bodySource: nghttp2_data_provider = {
    var source = nghttp2_data_provider()
    source.read_callback = { raw, id, _, most, flags, _, userData in
      guard let flags, let stream = SessionCallbacks.session(userData)?.stream(id) else {
        return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
      }
      flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
      let count = min(stream.outgoing.left, most)
      guard count == stream.outgoing.left else { return count }
      flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if stream.outgoing.trailers.count > 0 {
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        let code = stream.outgoing.trailers.withLines { nghttp2_submit_trailer(raw, id, $0.baseAddress, $0.count) }
        if code != 0 { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
      }
      return count
    }
    return source
  }()
}
