import Compression
import HTTP2Engine
import TraceWire

extension RequestHead {
  /// The head of an `Export` call, but for what is given.
  static func grpc(
    method: String = "POST", path: String = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    type: String? = "application/grpc", encoding: String? = nil
  ) -> RequestHead {
    var fields: HeaderFields = ["te": "trailers"]
    if let type { fields.append("content-type", type) }
    if let encoding { fields.append("grpc-encoding", encoding) }
    return RequestHead(method: method, path: path, version: .http2, fields: fields)
  }

  /// The head of a POST of traces, but for what is given.
  static func http(
    method: String = "POST", path: String = "/v1/traces", type: String? = "application/x-protobuf",
    encoding: String? = nil, length: Int? = nil
  ) -> RequestHead {
    var fields = HeaderFields()
    if let type { fields.append("content-type", type) }
    if let encoding { fields.append("content-encoding", encoding) }
    return RequestHead(method: method, path: path, version: .http1, fields: fields, contentLength: length)
  }
}

/// A gRPC message with its prefix; another length or flag than the true one where given.
func framed(_ message: [UInt8], flag: UInt8 = 0, length: Int? = nil) -> [UInt8] {
  let length = UInt32(length ?? message.count)
  return [flag] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + message
}

func compressed(_ bytes: [UInt8], _ coding: ContentCoding) -> [UInt8] { Compressor(coding).compress(bytes) }

/// Bytes that look like nothing in particular.
func noise(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 3) } }

extension Response {
  /// gRPC's status, from the trailers or, in an answer without a message, from the fields.
  var grpcStatus: Int? { (trailers.text("grpc-status") ?? fields.text("grpc-status")).flatMap { Int($0) } }

  /// What the answer's details say.
  var details: RPCStatus? {
    guard let header = fields["grpc-status-details-bin"], let bytes = GRPCBinaryHeader.decode(Array(header)) else {
      return nil
    }
    return try? RPCStatus(protobuf: bytes.span.bytes)
  }

  /// The message of a gRPC answer.
  var export: ExportResponse? {
    guard (try? GRPCMessagePrefix.read(at: 0, of: body.span.bytes))?.length == UInt32(body.count - 5) else {
      return nil
    }
    return try? ExportResponse(protobuf: body.span.bytes.extracting(5...))
  }

  var text: String { String(decoding: body, as: UTF8.self) }
}
