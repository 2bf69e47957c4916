internal import CNghttp2

/// What the sides and their streams submit to nghttp2. It copies all fields before it returns, except the texts named
/// here, which live as long as the process.
extension HTTP2Session {
  /// Takes a stream in. The session holds it until it is closed.
  func adopt(_ stream: HTTP2Stream) {
    streams[stream.id] = stream
    // SAFETY: the pointer is set to nil before `streams` lets go of the object.
    nghttp2_session_set_stream_user_data(raw, stream.id, Unmanaged.passUnretained(stream).toOpaque())
  }

  func consume(_ byteCount: Int, on id: Int32) {
    guard isUsable else { return }
    submitted(nghttp2_session_consume(raw, id, byteCount))
    if hasOutput { askForFlush() }
  }

  func reset(_ id: Int32, _ code: nghttp2_error_code) {
    guard isUsable else { return }
    submitted(nghttp2_submit_rst_stream(raw, 0, id, code.rawValue))
    askForFlush()
  }

  /// Looks at what a submission returned: a fatal answer is noted. False when it was refused.
  @discardableResult
  func submitted(_ code: Int32) -> Bool {
    note(code)
    return code >= 0
  }

  /// Tells the transport, unless it drains anyway when the call that we are in returns.
  func askForFlush() {
    guard !isInside, !isFlushAsked, !isLost, let wantsFlush else { return }
    isFlushAsked = true
    wantsFlush()
  }

  func ping(_ payload: UInt64) {
    guard isUsable else { return }
    withUnsafeBytes(of: payload.bigEndian) {
      _ = submitted(nghttp2_submit_ping(raw, 0, $0.baseAddress?.assumingMemoryBound(to: UInt8.self)))
    }
    askForFlush()
  }

  func submitShutdownNotice() {
    guard isUsable else { return }
    submitted(nghttp2_submit_shutdown_notice(raw))
    askForFlush()
  }

  func submitGoAway() {
    guard isUsable else { return }
    let last = nghttp2_session_get_last_proc_stream_id(raw)
    submitted(nghttp2_submit_goaway(raw, 0, last, NGHTTP2_NO_ERROR.rawValue, nil, 0))
    askForFlush()
  }

  /// Submits an answer; its data, where it has any, is the stream's `outgoing`.
  func submitAnswer(_ id: Int32, _ response: Response, hasData: Bool) -> Bool {
    guard isUsable else { return false }
    var digits = Self.digits(response.status)
    var fields = response.fields
    if Self.wantsContentLength(response) { fields.append("content-length", String(response.body.count)) }
    var source = hasData ? SessionCallbacks.bodySource : nghttp2_data_provider()
    return withUnsafeMutableBytes(of: &digits) { digits in
      let status = Self.line(":status", digits)
      return fields.withLines(first: status) { lines in
        submitted(nghttp2_submit_response(raw, id, lines.baseAddress, lines.count, &source))
      }
    }
  }

  /// gRPC does without; the others like to know (RFC 9110 8.6).
  private static func wantsContentLength(_ response: Response) -> Bool {
    response.trailers.count == 0 && response.status != 204 && response.status != 304
      && response.fields["content-length"] == nil && response.fields["grpc-status"] == nil
  }

  /// A status as text; what is none of three digits is our own mistake and so a 500.
  private static func digits(_ status: Int) -> (UInt8, UInt8, UInt8) {
    let status = (200...999).contains(status) ? status : 500
    return (UInt8(48 + status / 100), UInt8(48 + status / 10 % 10), UInt8(48 + status % 10))
  }

  private static func line(_ name: StaticString, _ value: UnsafeMutableRawBufferPointer) -> nghttp2_nv {
    nghttp2_nv(
      name: UnsafeMutablePointer(mutating: name.utf8Start),
      value: value.baseAddress?.assumingMemoryBound(to: UInt8.self),
      namelen: name.utf8CodeUnitCount, valuelen: value.count, flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue))
  }

  /// Submits a request; the stream's number, or nil when nghttp2 refuses.
  func submitRequest(_ lines: HeaderFields, hasData: Bool) -> Int32? {
    guard isUsable else { return nil }
    var source = hasData ? SessionCallbacks.bodySource : nghttp2_data_provider()
    let id = lines.withLines { lines in
      nghttp2_submit_request(raw, nil, lines.baseAddress, lines.count, &source, nil)
    }
    return submitted(id) ? id : nil
  }

  /// Requests that the peer allows in flight.
  var peerConcurrencyMax: Int {
    Int(nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
  }

  /// Bytes of bodies that the peer takes on all streams together.
  var peerWindow: Int { Int(nghttp2_session_get_remote_window_size(raw)) }

  /// Whether a stream may be opened at all: neither side went away, and stream numbers are left.
  var mayOpenStream: Bool { nghttp2_session_check_request_allowed(raw) != 0 }
}
