/// Why a request was refused, as `google.rpc.Status`: the body of an HTTP error, `grpc-status-details-bin` of a gRPC one.
public struct RPCStatus: Hashable, Sendable {
  /// The code; a number that gRPC does not know is read as `unknown`.
  public var code: GRPCStatusCode
  /// A sentence for developers. As read it is the peer's own text: log it cut and escaped.
  public var message: String
  /// When to try again (`google.rpc.RetryInfo`); `nil` where the server does not say. Never negative.
  public var retryDelay: Duration?

  /// The type name of a `RetryInfo` in an `Any`.
  static let retryInfoType = "type.googleapis.com/google.rpc.RetryInfo"
  /// The longest `google.protobuf.Duration`, in seconds: some ten thousand years.
  static let secondsMax: Int64 = 315_576_000_000

  /// Makes a status.
  public init(code: GRPCStatusCode, message: String, retryDelay: Duration? = nil) {
    self.code = code
    self.message = message
    self.retryDelay = retryDelay
  }

  /// The status as protobuf.
  public var protobuf: [UInt8] {
    var writer = ProtobufWriter()
    if code != .ok { writer.int(1, Int64(code.rawValue)) }
    if !message.isEmpty { writer.string(2, message) }
    if let retryDelay {
      let (seconds, nanoseconds) = Self.wireDelay(retryDelay)
      writer.message(3) { any in
        any.string(1, Self.retryInfoType)
        any.message(2) { info in
          info.message(1) { duration in
            if seconds != 0 { duration.int(1, seconds) }
            if nanoseconds != 0 { duration.int(2, nanoseconds) }
          }
        }
      }
    }
    return writer.bytes
  }

  /// The status in protobuf's JSON.
  public var json: [UInt8] {
    var output = [UInt8]("{\"code\":\(code.rawValue),\"message\":".utf8)
    output.appendJSONString(message)
    if let retryDelay {
      let (seconds, nanoseconds) = Self.wireDelay(retryDelay)
      var text = "\(seconds)"
      if nanoseconds != 0 {
        let digits = String(String(1_000_000_000 + nanoseconds).dropFirst())
        text += "." + (nanoseconds % 1_000_000 == 0 ? String(digits.prefix(3)) : digits)
      }
      output += ",\"details\":[{\"@type\":\"\(Self.retryInfoType)\",\"retryDelay\":\"\(text)s\"}]".utf8
    }
    output.append(UInt8(ascii: "}"))
    return output
  }

  /// Seconds and nanoseconds as `Duration` on the wire has them, clamped to what it allows and to not negative.
  private static func wireDelay(_ delay: Duration) -> (seconds: Int64, nanoseconds: Int64) {
    let (seconds, attoseconds) = delay.components
    if seconds < 0 || attoseconds < 0 { return (0, 0) }
    if seconds >= secondsMax { return (secondsMax, 0) }
    return (seconds, attoseconds / 1_000_000_000)
  }
}

extension RPCStatus {
  /// Reads a status from protobuf; unknown details and fields are passed over.
  public init(protobuf bytes: RawSpan) throws(WireFault) {
    self.init(code: .ok, message: "")
    var cursor = ProtobufCursor(bytes, from: 0, to: bytes.byteCount)
    while cursor.hasMore {
      switch try cursor.varint() {
      case 1 << 3 | 0:
        code = GRPCStatusCode(rawValue: Int(truncatingIfNeeded: try cursor.varint())) ?? .unknown
      case 2 << 3 | 2:
        message = bytes.text(try cursor.delimited())
      case 3 << 3 | 2:
        if let delay = try Self.retryDelay(inAny: try cursor.delimited(), of: bytes) { retryDelay = delay }
      case let tag:
        try cursor.skip(tag, depth: 1)
      }
    }
  }

  private static func retryDelay(inAny range: ByteRange, of bytes: RawSpan) throws(WireFault) -> Duration? {
    var type = ByteRange()
    var value = ByteRange()
    var cursor = ProtobufCursor(bytes, in: range)
    while cursor.hasMore {
      switch try cursor.varint() {
      case 1 << 3 | 2: type = try cursor.delimited()
      case 2 << 3 | 2: value = try cursor.delimited()
      case let tag: try cursor.skip(tag, depth: 2)
      }
    }
    // Only what follows the last slash names the type (google/protobuf/any.proto).
    guard bytes.text(type).split(separator: "/").last == "google.rpc.RetryInfo" else { return nil }
    var delay = Duration.zero
    var info = ProtobufCursor(bytes, in: value)
    while info.hasMore {
      switch try info.varint() {
      case 1 << 3 | 2: delay = try duration(in: try info.delimited(), of: bytes)
      case let tag: try info.skip(tag, depth: 3)
      }
    }
    return delay
  }

  private static func duration(in range: ByteRange, of bytes: RawSpan) throws(WireFault) -> Duration {
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    var cursor = ProtobufCursor(bytes, in: range)
    while cursor.hasMore {
      switch try cursor.varint() {
      case 1 << 3 | 0: seconds = Int64(bitPattern: try cursor.varint())
      case 2 << 3 | 0: nanoseconds = Int64(bitPattern: try cursor.varint())
      case let tag: try cursor.skip(tag, depth: 4)
      }
    }
    return .seconds(min(max(seconds, 0), secondsMax)) + .nanoseconds(min(max(nanoseconds, 0), 999_999_999))
  }
}

extension RawSpan {
  /// A peer's text, with U+FFFD for what is not UTF-8.
  func text(_ range: ByteRange) -> String {
    // SAFETY: the pointer does not leave the closure, and `extracting` has checked the range.
    extracting(range.indices).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}
