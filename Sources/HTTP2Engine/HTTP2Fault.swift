/// Why a connection is to end. What `drain` still gives tells the peer.
public struct HTTP2Fault: Error, Hashable, Sendable {
  /// The kind; its raw value is a metric label.
  public enum Kind: String, Sendable, CaseIterable {
    case protocolError = "http2_protocol_error"
    case outboundQueueFull = "http2_outbound_queue_full"
    case resets = "http2_reset_flood"
    case provokedResets = "http2_provoked_reset_flood"
    case refusedStreams = "http2_refused_stream_flood"
    case emptyData = "http2_empty_data_flood"
    case pings = "http2_ping_flood"
    case settings = "http2_settings_flood"
    case priorities = "http2_priority_flood"
    case windowUpdates = "http2_window_update_flood"
    case unknownFrames = "http2_unknown_frame_flood"
    case goAways = "http2_goaway_flood"
  }

  public var kind: Kind
  /// nghttp2's error code, 0 where the fault is ours.
  public var code: Int32

  init(_ kind: Kind, code: Int32 = 0) {
    self.kind = kind
    self.code = code
  }
}

extension HTTP2Fault: CustomStringConvertible {
  public var description: String { code == 0 ? kind.rawValue : "\(kind.rawValue) (\(code))" }
}
