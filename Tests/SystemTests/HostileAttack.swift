/// An attack of `hostile_http2.py` and what is to come of it.
struct HostileAttack: Sendable {
  enum Result: Sendable {
    /// The connection ends with a GOAWAY (none: it is just closed), and is counted under this reason.
    case connection(_ reason: String, goAway: UInt32?)
    /// The request is refused, by a reset or by an answer, and counted under this reason; the connection goes on.
    case request(_ reason: String, reset: Int? = nil, status: Int? = nil)
    /// Nothing is refused, and the connection goes on.
    case borne
    /// Whatever the server does, it costs it nothing.
    case held
  }

  var name: String
  var result: Result

  private static func connections(_ reason: String, goAway: UInt32? = 11, _ names: String...) -> [HostileAttack] {
    names.map { HostileAttack(name: $0, result: .connection("http2_" + reason, goAway: goAway)) }
  }

  private static func requests(
    _ reason: String, reset: Int? = nil, status: Int? = nil, _ names: String...
  ) -> [HostileAttack] {
    names.map { HostileAttack(name: $0, result: .request(reason, reset: reset, status: status)) }
  }

  static let floods =
    connections("reset_flood", "rapid_reset", "rapid_reset_of_answered", "reset_of_closed_streams_flood")
    + connections("continuation_flood", "continuation_flood", "empty_continuation_flood")
    + connections(
      "provoked_reset_flood", "made_you_reset_content_length", "made_you_reset_content_length_exceeded",
      "made_you_reset_stream_window", "made_you_reset_uppercase", "made_you_reset_connection_field",
      "made_you_reset_trailers", "made_you_reset_pseudo_trailers", "hpack_bomb", "hpack_bomb_of_fields",
      "hpack_bomb_zero_window", "long_trailers_flood")
    + connections("refused_stream_flood", "refused_stream_flood")
    + connections("header_flood", "falling_streams_flood")
    + connections("empty_data_flood", "empty_data_flood", "padding_flood")
    + connections("ping_flood", "ping_flood", "ping_ack_flood", "pings_unread")
    + connections("settings_flood", "settings_flood", "too_many_settings", "settings_unread")
    + connections("priority_flood", "priority_flood", "priority_update_flood")
    + connections("window_update_flood", "window_update_flood", "stream_window_update_flood")
    + connections("unknown_frame_flood", "unknown_frame_flood")
    + connections("goaway_flood", "goaway_flood")

  static let faults =
    connections(
      "protocol_error", goAway: 1, "settings_ack_unasked", "data_on_idle", "reset_of_idle", "window_of_idle",
      "even_stream", "push_promise", "headers_depending_on_itself", "ping_on_stream", "settings_on_stream",
      "settings_push", "settings_frame_size", "window_of_nothing", "continuation_alone", "headers_interrupted",
      "padding_past_the_frame", "goaway_on_stream", "malformed_after_goaway", "malformed_after_their_goaway",
      "no_settings")
    + connections(
      "compression_error", goAway: 9, "hpack_garbage", "hpack_unknown_index", "hpack_table_too_large",
      "hpack_cut_block")
    + connections(
      "frame_size_error", goAway: 6, "oversized_data", "oversized_headers", "oversized_unknown",
      "huge_frame_announced", "priority_of_wrong_size", "ping_of_wrong_size", "settings_of_wrong_size",
      "settings_ack_with_content", "window_of_wrong_size")
    + connections("flow_control_error", goAway: 3, "settings_window", "window_overflow")
    + connections("stream_closed", goAway: 5, "data_on_half_closed", "headers_on_half_closed")

  static let refusals =
    requests(
      "malformed", reset: 1, "no_path", "no_method", "no_scheme", "two_paths", "empty_path", "path_without_slash",
      "path_with_space", "path_with_lines", "method_with_lines", "authority_with_lines", "status_in_request",
      "unknown_pseudo_field", "pseudo_field_behind_others", "connection_field", "keep_alive_field", "upgrade_field",
      "proxy_connection_field", "transfer_encoding_field", "te_other_than_trailers", "uppercase_name", "empty_name",
      "name_with_colon", "name_with_lines", "value_with_lines", "value_with_zero", "two_content_lengths",
      "content_length_no_number", "content_length_overflow", "content_length_wrong", "trailers_without_end",
      "pseudo_field_in_trailers")
    + requests("malformed", status: 400, "connect_method")
    + requests("flow_control", reset: 3, "window_overflow_of_stream")
    + requests(
      "header_list_too_large", status: 431, "header_list_past_the_limit", "header_fields_past_the_limit",
      "very_many_cookies")
    + requests("header_list_too_large", reset: 11, "header_list_far_past_the_limit")
    + requests("too_many_streams", reset: 7, "one_stream_too_many")

  static let borne =
    [
      "unknown_settings", "unknown_frames", "table_of_the_largest_size", "priority_on_itself", "falling_streams",
      "data_after_the_answer",
    ].map { HostileAttack(name: $0, result: .borne) }
    + ["hpack_below_the_limit_zero_window", "requests_unread"].map { HostileAttack(name: $0, result: .held) }
}
