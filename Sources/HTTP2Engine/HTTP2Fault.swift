/// Why a connection is to end. What `drain` still gives tells the peer.
public struct HTTP2Fault: Error, Hashable, Sendable {
  /// The kind; its raw value is a metric label.
  public enum Kind: String, Sendable, CaseIterable {
    /// Connection errors that nghttp2 found, by their codes (RFC 9113 7); the first is for all that have none of the
    /// others.
    case protocolError = "http2_protocol_error"
    case flowControlError = "http2_flow_control_error"
    case streamClosed = "http2_stream_closed"
    case frameSizeError = "http2_frame_size_error"
    case compressionError = "http2_compression_error"
    /// The bytes do not begin as HTTP/2.
    case badPreface = "http2_bad_preface"
    /// The peer makes us answer and does not read.
    case outboundQueueFull = "http2_outbound_queue_full"
    /// Header blocks of requests that are never done.
    case headers = "http2_header_flood"
    case continuations = "http2_continuation_flood"
    /// RST_STREAM from the peer ("rapid reset", CVE-2023-44487).
    case resets = "http2_reset_flood"
    /// Stream errors that make us send RST_STREAM ("MadeYouReset", CVE-2025-8671).
    case provokedResets = "http2_provoked_reset_flood"
    /// Streams past the maximum.
    case refusedStreams = "http2_refused_stream_flood"
    /// DATA without content that does not end its stream.
    case emptyData = "http2_empty_data_flood"
    case pings = "http2_ping_flood"
    case settings = "http2_settings_flood"
    case priorities = "http2_priority_flood"
    case windowUpdates = "http2_window_update_flood"
    /// Frames of a type that nobody knows.
    case unknownFrames = "http2_unknown_frame_flood"
    case goAways = "http2_goaway_flood"

    /// How many tokens of the abuse budget one occurrence costs: about what it costs us.
    var cost: Int {
      switch self {
      case .protocolError, .flowControlError, .streamClosed, .frameSizeError, .compressionError, .badPreface,
        .outboundQueueFull:
        0
      case .headers, .continuations, .emptyData, .pings, .priorities, .windowUpdates, .unknownFrames: 1
      case .refusedStreams: 2
      case .resets, .settings, .goAways: 4
      case .provokedResets: 8
      }
    }
  }

  /// What went wrong.
  public var kind: Kind
  /// nghttp2's (negative) or HTTP/2's (positive) error code; 0 where the fault is ours.
  public var code: Int32

  init(_ kind: Kind, code: Int32 = 0) {
    self.kind = kind
    self.code = code
  }

  /// What the code of a GOAWAY that nghttp2 sends by itself stands for.
  init(goAway code: UInt32) {
    let kind: Kind =
      switch code {
      case 3: .flowControlError
      case 5: .streamClosed
      case 6: .frameSizeError
      case 9: .compressionError
      // It says so of SETTINGS with too many entries only.
      case 11: .settings
      default: .protocolError
      }
    self.init(kind, code: Int32(clamping: code))
  }
}

extension HTTP2Fault: CustomStringConvertible {
  /// The kind, with the code where there is one.
  public var description: String { code == 0 ? kind.rawValue : "\(kind.rawValue) (\(code))" }
}
