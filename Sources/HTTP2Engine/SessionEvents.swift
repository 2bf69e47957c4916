internal import CNghttp2

/// What nghttp2 tells a session, from inside `receive` and `drain`.
extension HTTP2Session {
  func headersBegan(_ id: Int32, opens: Bool) {
    if opens, stream(id) == nil, let stream = owner?.openStream(id) { adopt(stream) }
    guard let stream = stream(id) else { return }
    openHeaderBlock = id
    stream.budget = HeaderBudget(limits)
    stream.headersBegan()
  }

  func frameReceived(_ frame: UnsafePointer<nghttp2_frame>) {
    let head = frame.pointee.hd
    switch head.type {
    case FrameType.data, FrameType.headers:
      if head.type == FrameType.headers { openHeaderBlock = nil }
      guard let stream = stream(head.stream_id) else { return }
      if head.type == FrameType.headers { stream.headersEnded() }
      if head.flags & FrameFlag.endStream != 0 {
        stream.isRemoteEnded = true
        stream.remoteEnded()
      }
    case FrameType.ping where head.flags & FrameFlag.ack != 0:
      let payload = frame.pointee.ping.opaque_data
      owner?.pongReceived(withUnsafeBytes(of: payload) { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) })
    case FrameType.goAway:
      owner?.goAwayReceived()
    case FrameType.settings:
      hasPeerSettings = true
    default:
      break
    }
  }

  func dataReceived(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
    meter.earn(dataBytes: bytes.count)
    guard let stream = stream(id) else {
      // Nobody will ever consume these.
      submitted(nghttp2_session_consume(raw, id, bytes.count))
      return
    }
    stream.receive(bytes)
  }

  func frameSent(_ frame: UnsafePointer<nghttp2_frame>) {
    let head = frame.pointee.hd
    switch head.type {
    case FrameType.data, FrameType.headers:
      if head.type == FrameType.data { meter.earn(dataBytes: head.length) }
      guard head.flags & FrameFlag.endStream != 0, let stream = stream(head.stream_id) else { return }
      stream.isLocalEnded = true
      stream.localEnded()
    case FrameType.reset:
      switch frame.pointee.rst_stream.error_code {
      // The first two are our own wish.
      case NGHTTP2_NO_ERROR.rawValue, NGHTTP2_CANCEL.rawValue: break
      case NGHTTP2_REFUSED_STREAM.rawValue: charge(.refusedStreams)
      default: charge(.provokedResets)
      }
    case FrameType.goAway:
      let code = frame.pointee.goaway.error_code
      if code != NGHTTP2_NO_ERROR.rawValue, fault == nil {
        note(HTTP2Fault(.protocolError, code: Int32(clamping: code)))
      }
    default:
      break
    }
  }

  func headersNotSent(_ id: Int32) { stream(id)?.headersNotSent() }

  func streamClosed(_ id: Int32, _ code: UInt32) {
    nghttp2_session_set_stream_user_data(raw, id, nil)
    // A header block that is refused is never reported as whole.
    if openHeaderBlock == id { openHeaderBlock = nil }
    guard let stream = streams.removeValue(forKey: id) else { return }
    let unconsumed = stream.detach()
    // What was not consumed would be missing from the connection's window for ever.
    if unconsumed > 0 { submitted(nghttp2_session_consume_connection(raw, unconsumed)) }
    if stream.isLocalEnded { meter.earnRequest() }
    stream.closed(code)
  }

  /// The stream of a number, by way of nghttp2's own table.
  func stream(_ id: Int32) -> HTTP2Stream? {
    guard let pointer = nghttp2_session_get_stream_user_data(raw, id) else { return nil }
    // SAFETY: set in `adopt` and `submit`, cleared before `streams` lets go of the object.
    return Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
  }
}
