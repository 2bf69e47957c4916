internal import CNghttp2

/// A table of nghttp2 callbacks, made once and never freed.
// SAFETY: the table is filled in `init` and only read by nghttp2 afterwards.
struct SessionCallbacks: @unchecked Sendable {
  let raw: OpaquePointer?

  init(_ fill: (OpaquePointer?) -> Void) {
    var table: OpaquePointer?
    nghttp2_session_callbacks_new(&table)
    nghttp2_session_callbacks_set_data_source_read_length_callback(table) { _, _, _, session, stream, frame, _ in
      max(1, min(Frame.dataBytesMax, Int(session), Int(stream), Int(frame)))
    }
    fill(table)
    raw = table
  }
}

/// nghttp2 options shared by all sessions, made once and never freed.
// SAFETY: the options are filled in `init` and only read by nghttp2 afterwards.
struct SessionOptions: @unchecked Sendable {
  static let shared = SessionOptions()
  let raw: OpaquePointer?

  private init() {
    var options: OpaquePointer?
    nghttp2_option_new(&options)
    nghttp2_option_set_no_auto_window_update(options, 1)
    nghttp2_option_set_stream_reset_rate_limit(options, 1000, 33)
    nghttp2_option_set_max_continuations(options, 8)
    raw = options
  }
}
