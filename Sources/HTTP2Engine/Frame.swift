internal import CNghttp2

/// Names for nghttp2's numbers, which Swift imports as enums of other types than its functions take.
enum Frame {
  static let data = UInt8(NGHTTP2_DATA.rawValue)
  static let headers = UInt8(NGHTTP2_HEADERS.rawValue)
  static let priority = UInt8(NGHTTP2_PRIORITY.rawValue)
  static let rstStream = UInt8(NGHTTP2_RST_STREAM.rawValue)
  static let settings = UInt8(NGHTTP2_SETTINGS.rawValue)
  static let ping = UInt8(NGHTTP2_PING.rawValue)
  static let goAway = UInt8(NGHTTP2_GOAWAY.rawValue)
  static let windowUpdate = UInt8(NGHTTP2_WINDOW_UPDATE.rawValue)
  static let continuation = UInt8(NGHTTP2_CONTINUATION.rawValue)

  static let endStream = UInt8(NGHTTP2_FLAG_END_STREAM.rawValue)
  static let ack = UInt8(NGHTTP2_FLAG_ACK.rawValue)
  static let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)

  static let noError = UInt32(NGHTTP2_NO_ERROR.rawValue)
  static let refusedStream = UInt32(NGHTTP2_REFUSED_STREAM.rawValue)
  static let cancel = UInt32(NGHTTP2_CANCEL.rawValue)
  static let enhanceYourCalm = UInt32(NGHTTP2_ENHANCE_YOUR_CALM.rawValue)

  /// A DATA frame of this size fills one TLS record with its nine bytes of header.
  static let dataBytesMax = 16375

  static func setting(_ id: nghttp2_settings_id, _ value: UInt32) -> nghttp2_settings_entry {
    nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
  }
}
