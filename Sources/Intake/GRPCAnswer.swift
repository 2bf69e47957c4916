internal import HTTP2Engine
internal import TraceWire

/// The one place that turns what happened into gRPC's answers.
enum GRPCAnswer {
  /// Whether a content type is gRPC's with protobuf messages: `application/grpc`, `application/grpc+proto`, with or
  /// without parameters.
  static func isGRPC(_ contentType: ArraySlice<UInt8>) -> Bool {
    guard var rest = contentType.dropping(asciiPrefix: "application/grpc") else { return false }
    if rest.first == UInt8(ascii: "+") {
      guard let behind = rest.dropping(asciiPrefix: "+proto") else { return false }
      rest = behind
    }
    guard let next = rest.first else { return true }
    return next == UInt8(ascii: ";") || next == UInt8(ascii: " ") || next == UInt8(ascii: "\t")
  }

  /// Answers below gRPC, to what is not gRPC.
  static var wrongMethod: Response { Response(status: 405, fields: ["allow": "POST"]) }
  static var wrongContentType: Response { Response(status: 415, fields: ["accept": "application/grpc"]) }

  /// What a consumer's verdict means to the sender.
  static func verdict(_ verdict: IntakeVerdict) -> Response {
    switch verdict {
    case .accepted(0, ""): return accepted
    case .accepted(let rejected, let message):
      return success(ExportResponse(rejectedSpans: Int64(rejected), errorMessage: message))
    case .malformed(let fault): return status(.invalidArgument, "malformed request: \(fault)")
    case .overload(let delay):
      return status(.unavailable, "no room for more spans now, try again later", retryAfter: delay)
    case .limited(let delay):
      return status(.unavailable, "the tenant's limit is reached, try again later", retryAfter: delay)
    case .unauthenticated(let message): return status(.unauthenticated, message)
    case .invalid(let message): return status(.invalidArgument, message)
    case .forbidden(let message): return status(.permissionDenied, message)
    }
  }

  /// The caller showed no credentials, or none that are known.
  static var unauthenticated: Response { status(.unauthenticated, "missing or unknown credentials") }

  /// The request is past the limit: it must not be sent again, so no RetryInfo.
  static func tooLarge(limit: Int) -> Response {
    status(.resourceExhausted, "request larger than \(limit) bytes")
  }

  /// The request has next to nothing but empty parts.
  static let excessive = status(
    .resourceExhausted, "request with far more spans, scopes or resources than its size can hold")

  /// The sender used a coding that is not served; it is told which are.
  static var unknownEncoding: Response {
    var response = status(.unimplemented, "unknown grpc-encoding")
    response.fields.append("grpc-accept-encoding", "identity,gzip,zstd")
    return response
  }

  /// Nearly every answer; made once.
  private static let accepted = success(ExportResponse())

  private static func success(_ export: ExportResponse) -> Response { success(export.protobuf) }

  /// What part of the traces to sample (`jaeger.api_v2.SamplingStrategyResponse`).
  static func strategy(_ probability: Double) -> Response {
    var writer = ProtobufWriter()
    writer.message(2) { $0.double(1, probability) }
    return success(writer.bytes)
  }

  private static func success(_ message: [UInt8]) -> Response {
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

extension ArraySlice<UInt8> {
  /// What follows a prefix of small ASCII letters and signs, which may stand here in capitals; `nil` without it.
  fileprivate func dropping(asciiPrefix prefix: StaticString) -> ArraySlice<UInt8>? {
    prefix.withUTF8Buffer { wanted in
      guard count >= wanted.count else { return nil }
      for (byte, small) in zip(self, wanted) {
        let isCapital = (0x41...0x5a).contains(byte)
        guard (isCapital ? byte | 0x20 : byte) == small else { return nil }
      }
      return dropFirst(wanted.count)
    }
  }
}
