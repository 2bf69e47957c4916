internal import HTTP2Engine
internal import TraceWire

/// The one place that turns what happened into gRPC's answers.
enum GRPCAnswer {
  /// Whether a content type is gRPC's, with or without a message format.
  static func isGRPC(_ contentType: String) -> Bool {
    let type = contentType.lowercased()
    guard type.hasPrefix("application/grpc") else { return false }
    let rest = type.dropFirst("application/grpc".count)
    return rest.isEmpty || rest.hasPrefix("+proto") || rest.hasPrefix(";")
  }

  /// An answer below gRPC.
  static func http(status: Int) -> Response { Response(status: status) }

  /// What a consumer's verdict means to the sender.
  static func verdict(_ verdict: IntakeVerdict) -> Response {
    switch verdict {
    case .accepted(let rejected, let message):
      return success(ExportResponse(rejectedSpans: Int64(rejected), errorMessage: message))
    case .malformed(let fault): return status(.invalidArgument, "malformed request: \(fault)")
    case .overload(let delay):
      return status(.unavailable, "no room for more spans now, try again later", retryAfter: delay)
    case .forbidden(let message): return status(.permissionDenied, message)
    }
  }

  /// The request is past the limit: it must not be sent again, so no RetryInfo.
  static func tooLarge(limit: Int) -> Response {
    status(.resourceExhausted, "request larger than \(limit) bytes")
  }

  /// The sender used a coding that is not served; it is told which are.
  static var unknownEncoding: Response {
    var response = status(.unimplemented, "unknown grpc-encoding")
    response.fields.append("grpc-accept-encoding", "identity,gzip,zstd")
    return response
  }

  private static func success(_ export: ExportResponse) -> Response {
    let message = export.protobuf
    var body: [UInt8] = []
    GRPCMessagePrefix(isCompressed: false, length: UInt32(message.count)).append(to: &body)
    body += message
    return Response(
      status: 200, fields: ["content-type": "application/grpc+proto"], body: body, trailers: ["grpc-status": "0"])
  }

  /// An answer without a message ("trailers only").
  static func status(_ code: GRPCStatusCode, _ message: String, retryAfter: Duration? = nil) -> Response {
    var fields: HeaderFields = [
      "content-type": "application/grpc", "grpc-status": String(code.rawValue),
      "grpc-message": String(decoding: GRPCMessageText.encode(message), as: UTF8.self),
    ]
    if let retryAfter {
      let details = RPCStatus(code: code, message: message, retryDelay: retryAfter)
      fields.append(
        "grpc-status-details-bin", String(decoding: GRPCBinaryHeader.encode(details.protobuf), as: UTF8.self))
    }
    return Response(status: 200, fields: fields)
  }
}
