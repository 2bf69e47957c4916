/// The answer to an OTLP export (`ExportTraceServiceResponse`): everything was accepted, or part of it was not.
public struct ExportResponse: Hashable, Sendable {
  /// How many spans were refused for good; the client does not send them again. As read never negative.
  public var rejectedSpans: Int64
  /// Why, or with no span rejected a warning. As read it is the peer's own text: log it cut and escaped.
  public var errorMessage: String

  /// Makes an answer; without arguments that of full success.
  public init(rejectedSpans: Int64 = 0, errorMessage: String = "") {
    self.rejectedSpans = rejectedSpans
    self.errorMessage = errorMessage
  }

  /// Whether there is anything to say: `partial_success` is left out on full success (OTLP, "Partial Success").
  public var isPartial: Bool { rejectedSpans != 0 || !errorMessage.isEmpty }

  /// The answer as protobuf; empty on full success.
  public var protobuf: [UInt8] {
    var writer = ProtobufWriter()
    guard isPartial else { return [] }
    writer.message(1) { partial in
      if rejectedSpans != 0 { partial.int(1, rejectedSpans) }
      if !errorMessage.isEmpty { partial.string(2, errorMessage) }
    }
    return writer.bytes
  }

  /// The answer in protobuf's JSON; `{}` on full success.
  public var json: [UInt8] {
    guard isPartial else { return [UInt8]("{}".utf8) }
    var output = [UInt8]("{\"partialSuccess\":{".utf8)
    if rejectedSpans != 0 { output += "\"rejectedSpans\":\"\(rejectedSpans)\"".utf8 }
    if !errorMessage.isEmpty {
      if rejectedSpans != 0 { output.append(UInt8(ascii: ",")) }
      output += "\"errorMessage\":".utf8
      output.appendJSONString(errorMessage)
    }
    output += "}}".utf8
    return output
  }
}

extension ExportResponse {
  /// Reads an answer from protobuf.
  public init(protobuf bytes: RawSpan) throws(WireFault) {
    self.init()
    var cursor = ProtobufCursor(bytes, from: 0, to: bytes.byteCount)
    while cursor.hasMore {
      switch try cursor.varint() {
      case 1 << 3 | 2: try readPartial(try cursor.delimited(), of: bytes)
      case let tag: try cursor.skip(tag, depth: 1)
      }
    }
  }

  private mutating func readPartial(_ range: ByteRange, of bytes: RawSpan) throws(WireFault) {
    var cursor = ProtobufCursor(bytes, in: range)
    while cursor.hasMore {
      switch try cursor.varint() {
      case 1 << 3 | 0: rejectedSpans = max(0, Int64(bitPattern: try cursor.varint()))
      case 2 << 3 | 2: errorMessage = bytes.text(try cursor.delimited())
      case let tag: try cursor.skip(tag, depth: 2)
      }
    }
  }
}

extension [UInt8] {
  /// Appends a string as JSON has it (RFC 8259, section 7), quotes included.
  mutating func appendJSONString(_ text: String) {
    append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        append(UInt8(ascii: "\\"))
        append(byte)
      case 0..<0x20, 0x7f:
        self += byte < 0x10 ? "\\u000".utf8 : "\\u00".utf8
        self += String(byte, radix: 16).utf8
      default:
        append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }
}
