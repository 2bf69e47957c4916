internal import HTTP2Engine
internal import TraceWire

/// The one place that turns what happened into OTLP/HTTP's answers, in the request's own format.
enum HTTPAnswer {
  /// How a request's body, and so its answer, is written.
  enum Format {
    case protobuf
    case json

    /// The format that a content type names; parameters are of no account.
    init?(contentType: String?) {
      let type = contentType?.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
      switch type {
      case "application/x-protobuf": self = .protobuf
      case "application/json": self = .json
      default: return nil
      }
    }

    var contentType: String { self == .json ? "application/json" : "application/x-protobuf" }
  }

  /// What a consumer's verdict means to the sender.
  static func verdict(_ verdict: IntakeVerdict, format: Format?) -> Response {
    switch verdict {
    case .accepted(0, ""): return format == .json ? acceptedJSON : acceptedProtobuf
    case .accepted(let rejected, let message):
      return success(ExportResponse(rejectedSpans: Int64(rejected), errorMessage: message), format: format)
    case .malformed(let fault): return failure(400, "malformed request: \(fault)", format: format)
    case .overload(let delay):
      let seconds = max(1, delay.components.seconds + (delay.components.attoseconds > 0 ? 1 : 0))
      return failure(
        503, "no room for more spans now, try again later", format: format, extra: ["retry-after": String(seconds)])
    case .forbidden(let message): return failure(403, message, format: format)
    }
  }

  /// What a request is told that has next to nothing but empty parts.
  static let excessive = "request with far more spans, scopes or resources than its size can hold"

  /// Nearly every answer; made once.
  private static let acceptedProtobuf = success(ExportResponse(), format: .protobuf)
  private static let acceptedJSON = success(ExportResponse(), format: .json)

  private static func success(_ export: ExportResponse, format: Format?) -> Response {
    Response(
      status: 200, fields: ["content-type": (format ?? .protobuf).contentType],
      body: format == .json ? export.json : export.protobuf)
  }

  /// A refusal with a `google.rpc.Status`, or plain text where the request's format is unknown.
  static func failure(
    _ status: Int, _ message: String, format: Format?, extra: HeaderFields = HeaderFields()
  ) -> Response {
    let rpc = RPCStatus(code: code(of: status), message: message)
    var fields = extra
    fields.append("content-type", format?.contentType ?? "text/plain; charset=utf-8")
    let body: [UInt8] =
      switch format {
      case .json: rpc.json
      case .protobuf: rpc.protobuf
      case nil: Array(message.utf8)
      }
    return Response(status: status, fields: fields, body: body)
  }

  /// The gRPC code nearest to an HTTP status.
  private static func code(of status: Int) -> GRPCStatusCode {
    switch status {
    case 403: .permissionDenied
    case 404, 405: .unimplemented
    case 413: .resourceExhausted
    case 503: .unavailable
    default: .invalidArgument
    }
  }
}
