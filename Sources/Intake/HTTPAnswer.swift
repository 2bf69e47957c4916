internal import HTTP2Engine
internal import TraceWire

/// The one place that turns what happened into the answers of HTTP: OTLP's in the request's own format, or plain ones.
enum HTTPAnswer {
  /// How an answer is written.
  enum Form {
    case protobuf
    case json
    /// As Zipkin and Jaeger answer: 202 without a body, or a sentence.
    case plain

    var contentType: String {
      switch self {
      case .protobuf: "application/x-protobuf"
      case .json: "application/json"
      case .plain: "text/plain; charset=utf-8"
      }
    }
  }

  /// What a consumer's verdict means to the sender.
  static func verdict(_ verdict: IntakeVerdict, form: Form) -> Response {
    switch verdict {
    case .accepted where form == .plain: return acceptedPlainly
    case .accepted(0, ""): return form == .json ? acceptedJSON : acceptedProtobuf
    case .accepted(let rejected, let message):
      return success(ExportResponse(rejectedSpans: Int64(rejected), errorMessage: message), form: form)
    case .malformed(let fault): return failure(400, "malformed request: \(fault)", form: form)
    case .overload(let delay):
      return failure(503, "no room for more spans now, try again later", form: form, extra: retryAfter(delay))
    case .limited(let delay):
      return failure(429, "the tenant's limit is reached, try again later", form: form, extra: retryAfter(delay))
    case .unauthenticated(let message): return failure(401, message, form: form)
    case .invalid(let message): return failure(400, message, form: form)
    case .forbidden(let message): return failure(403, message, form: form)
    }
  }

  /// Whole seconds, at least one.
  private static func retryAfter(_ delay: Duration) -> HeaderFields {
    ["retry-after": String(max(1, delay.components.seconds + (delay.components.attoseconds > 0 ? 1 : 0)))]
  }

  /// The sender showed no credentials, or none that are known; it is told which kinds there are.
  static func unauthenticated(_ access: Access, form: Form) -> Response {
    failure(
      401, "missing or unknown credentials", form: form, extra: ["www-authenticate": access.challenge ?? "Bearer"])
  }

  /// What a request is told that has next to nothing but empty parts.
  static let excessive = "request with far more spans, scopes or resources than its size can hold"

  /// Nearly every answer; made once.
  private static let acceptedProtobuf = success(ExportResponse(), form: .protobuf)
  private static let acceptedPlainly = Response(status: 202)
  private static let acceptedJSON = success(ExportResponse(), form: .json)

  private static func success(_ export: ExportResponse, form: Form) -> Response {
    Response(
      status: 200, fields: ["content-type": form.contentType],
      body: form == .json ? export.json : export.protobuf)
  }

  /// A refusal with a `google.rpc.Status`, or plain text.
  static func failure(
    _ status: Int, _ message: String, form: Form, extra: HeaderFields = HeaderFields()
  ) -> Response {
    let rpc = RPCStatus(code: code(of: status), message: message)
    var fields = extra
    fields.append("content-type", form.contentType)
    let body: [UInt8] =
      switch form {
      case .json: rpc.json
      case .protobuf: rpc.protobuf
      case .plain: Array(message.utf8)
      }
    return Response(status: status, fields: fields, body: body)
  }

  /// The gRPC code nearest to an HTTP status.
  private static func code(of status: Int) -> GRPCStatusCode {
    switch status {
    case 401: .unauthenticated
    case 403: .permissionDenied
    case 404, 405: .unimplemented
    case 413, 429: .resourceExhausted
    case 503: .unavailable
    default: .invalidArgument
    }
  }
}
