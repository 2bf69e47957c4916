/// OTLP protobuf as OTLP/JSON, the way back of `OTLPJSON` (OTLP specification, "JSON Protobuf Encoding"): for files and
/// for whoever takes no protobuf.
///
/// IDs are lowercase hex, other bytes padded base64, enums integers, 64-bit integers strings; doubles that are not
/// finite are the strings protobuf's JSON has for them. Fields of their default value are left out, as are fields this
/// version of OTLP does not have. Text that is not UTF-8 gets U+FFFD where it is not, for JSON knows no other text.
///
/// What counts of fields that come several times is what protobuf says: the last scalar, messages merged, of a `oneof`
/// the last case. Time and memory are linear in the input.
public enum OTLPJSONText {
  /// The request as one line, without a newline at its end. Throws what is wrong with protobuf that cannot be read, and
  /// `tooDeep` past `ProtobufCursor.depthMax`; offsets count in the request.
  public static func line(_ request: RawSpan) throws(WireFault) -> [UInt8] {
    guard request.byteCount <= Int(UInt32.max) else { throw WireFault(.badLength, at: 0) }
    var writer = OTLPJSONWriter(roomFor: request.byteCount)
    try writer.write(.request, in: ByteRange(0, request.byteCount), depth: 1, of: request)
    return writer.output
  }
}
