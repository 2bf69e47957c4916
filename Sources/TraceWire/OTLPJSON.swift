/// OTLP/JSON: protobuf's JSON mapping of an `ExportTraceServiceRequest`, with OTLP's own rules for IDs (OTLP
/// specification, "JSON Protobuf Encoding"). It is translated into protobuf at the edge; past it there is one format.
///
/// - Names are lowerCamelCase or the original snake_case; unknown fields are checked and passed over, `null` is absent.
/// - IDs are hex of either case. One of another length is written with the length it has, so that its span alone is
///   refused later (an odd digit at the end makes no ID valid); any other character is a fault.
/// - Bytes are base64 of either alphabet; enums numbers or names; integers numbers or strings, fractions of zero and
///   exponents allowed; doubles numbers, strings, `NaN`, `Infinity`, `-Infinity`.
/// - A lone surrogate in an escape becomes U+FFFD: SDKs that cut strings leave halves behind, and one attribute is no
///   reason to refuse a request. Bytes that are not UTF-8 are a fault.
/// - Of a field that comes twice the last non-default value counts, repeated ones are joined, messages merged.
/// - Messages, and containers in unknown fields, may be nested `ProtobufCursor.depthMax` deep. Recursion ends there.
///
/// Time and memory are linear in the input.
public enum OTLPJSON {
  /// The request as OTLP protobuf. Throws `truncated` and `badSyntax` for what is no JSON, `badValue` for a value of
  /// the wrong type or out of range, `tooDeep`; offsets count in the JSON.
  public static func translate(_ json: RawSpan) throws(WireFault) -> [UInt8] {
    var translator = OTLPJSONTranslator(roomFor: json.byteCount)
    try translator.message(.request, depth: 1, in: json)
    try translator.scanner.expectEnd(in: json)
    return translator.output.finish()
  }

  /// The request as OTLP protobuf.
  public static func translate(_ json: [UInt8]) throws(WireFault) -> [UInt8] { try translate(json.span.bytes) }
}
