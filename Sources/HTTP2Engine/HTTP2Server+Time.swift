internal import CNghttp2

/// What a regular look at a connection's requests came to.
public struct RequestLook: Sendable, Equatable {
  /// Requests that were given up because their bodies came too slowly.
  public var slowBodies = 0
  /// Requests that were given up because their peer opened no window for the answer since the look before.
  public var unreadAnswers = 0
  /// Whether some request still waits for its peer.
  public var awaitsPeer = false

  /// Nothing was seen.
  public init() {}
}

extension HTTP2Server {
  /// The peer's connection preface is whole: its SETTINGS came.
  public var hasBegun: Bool { session.hasPeerSettings }

  /// The stream whose header block has begun and is not whole.
  public var openHeaderBlock: Int32? { session.openHeaderBlock }

  /// The number of the last request that was begun; it only grows.
  public var lastRequest: Int32 { session.isUsable ? nghttp2_session_get_last_proc_stream_id(session.raw) : 0 }

  /// Gives up requests whose peers do not do their part; to be called in regular intervals, and drained afterwards.
  public func look(_ rule: BodyPace.Rule) -> RequestLook {
    var look = RequestLook()
    for case let stream as ServerStream in Array(session.streams.values) { stream.look(rule, &look) }
    return look
  }
}

extension ServerStream {
  fileprivate func look(_ rule: BodyPace.Rule, _ look: inout RequestLook) {
    if !isRemoteEnded {
      guard pace.isTooSlow(rule) else { return look.awaitsPeer = true }
      look.slowBodies += 1
      if isLocalEnded { stopUpload() } else { cancel() }
    } else if isAnswered, !isLocalEnded {
      guard outgoing.left == leftAtLook else {
        leftAtLook = outgoing.left
        return look.awaitsPeer = true
      }
      look.unreadAnswers += 1
      cancel()
    }
  }
}
