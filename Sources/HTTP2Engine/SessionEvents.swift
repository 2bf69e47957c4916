internal import CNghttp2

/// What nghttp2 tells a session, from inside `receive` and `drain`.
extension HTTP2Session {
  /// A header block begins. False: its stream is one too many.
  func headersBegan(_ id: Int32, opens: Bool) -> Bool {
    if opens, stream(id) == nil, let owner {
      guard let stream = owner.openStream(id) else {
        submitted(nghttp2_submit_rst_stream(raw, 0, id, NGHTTP2_REFUSED_STREAM.rawValue))
        return false
      }
      adopt(stream)
    }
    guard let stream = stream(id) else { return true }
    openHeaderBlock = id
    stream.budget = HeaderBudget(limits)
    stream.headersBegan()
    return true
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
      resetSent(frame.pointee.rst_stream.error_code)
    case FrameType.goAway:
      let code = frame.pointee.goaway.error_code
      if code != NGHTTP2_NO_ERROR.rawValue, fault == nil {
        note(HTTP2Fault(goAway: code))
      }
    default:
      break
    }
  }

  private func resetSent(_ code: UInt32) {
    switch code {
    // These two are our own wish.
    case NGHTTP2_NO_ERROR.rawValue, NGHTTP2_CANCEL.rawValue: break
    case NGHTTP2_REFUSED_STREAM.rawValue:
      refusals.add(.tooManyStreams)
      charge(.refusedStreams)
    default:
      refusals.add(StreamRefusals.Reason(reset: code))
      charge(.provokedResets)
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
