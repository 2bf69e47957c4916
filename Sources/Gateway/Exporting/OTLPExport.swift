internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import TraceWire

/// OTLP/gRPC as a client speaks it: a batch to a request, a response to a plain answer.
struct OTLPExport {
  static let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

  let authority: String
  let isSecure: Bool
  /// The coding to begin with.
  let coding: ContentCoding
  /// Further header fields from the configuration.
  let headers: [(name: String, value: String)]

  /// The head of every request whose message has this coding.
  func request(_ coding: ContentCoding) -> ClientRequest {
    var fields: HeaderFields = [
      "content-type": "application/grpc+proto", "te": "trailers", "user-agent": "longspan/\(LongspanVersion.text)",
    ]
    if coding != .identity { fields.append("grpc-encoding", coding.token) }
    for (name, value) in headers { fields.append(name: name, value: value) }
    return ClientRequest(
      method: "POST", scheme: isSecure ? "https" : "http", authority: authority, path: Self.path, fields: fields)
  }

  /// The message of a batch with its gRPC prefix; nil where the batch's bytes are damaged.
  func message(
    _ batch: Batch, _ compressor: Compressor, _ decompressor: Decompressor
  ) -> (prefix: [UInt8], body: [UInt8])? {
    var body = batch.payload
    if batch.isCompressed, compressor.coding != .zstd {
      guard let inflated = try? decompressor.inflate(body.span.bytes, coding: .zstd, limit: Self.messageBytesMax) else {
        return nil
      }
      body = compressor.compress(inflated)
    } else if !batch.isCompressed {
      body = compressor.compress(body)
    }
    return (prefix(compressor.coding, body), body)
  }

  /// The message of an `ExportTraceServiceRequest` with its gRPC prefix.
  func message(_ request: [UInt8], _ compressor: Compressor) -> (prefix: [UInt8], body: [UInt8]) {
    let body = compressor.compress(request)
    return (prefix(compressor.coding, body), body)
  }

  private func prefix(_ coding: ContentCoding, _ body: [UInt8]) -> [UInt8] {
    var prefix: [UInt8] = []
    GRPCMessagePrefix(isCompressed: coding != .identity, length: UInt32(clamping: body.count)).append(to: &prefix)
    return prefix
  }

  /// Far above what a batch comes to: one span can be as large as a request.
  private static let messageBytesMax = 1 << 31

  /// What a response says.
  static func answer(_ result: Result<ClientResponse, ClientFailure>) -> DeliveryAnswer {
    switch result {
    case .failure(.goneAway): .failed(.unprocessed)
    case .failure(.connectionLost): .failed(.connection)
    case .failure: .failed(.stream)
    case .success(let response): answer(response)
    }
  }

  private static func answer(_ response: ClientResponse) -> DeliveryAnswer {
    let status = response.trailers["grpc-status"] ?? response.fields["grpc-status"]
    guard let status else {
      return response.status == 200 ? .failed(.stream) : .grpcOverHTTP(status: response.status)
    }
    let details = response.trailers["grpc-status-details-bin"] ?? response.fields["grpc-status-details-bin"]
    return .grpc(
      status: GRPCStatusCode(header: status).rawValue, retryDelay: details.flatMap { retryDelay(Array($0)) },
      rejectedSpans: rejectedSpans(response.body))
  }

  private static func retryDelay(_ header: [UInt8]) -> Duration? {
    guard let bytes = GRPCBinaryHeader.decode(header) else { return nil }
    return (try? RPCStatus(protobuf: bytes.span.bytes))?.retryDelay
  }

  private static func rejectedSpans(_ body: [UInt8]) -> Int64 {
    guard body.count > GRPCMessagePrefix.size, body[0] == 0 else { return 0 }
    return (try? ExportResponse(protobuf: body.span.bytes.extracting(GRPCMessagePrefix.size...)))?.rejectedSpans ?? 0
  }
}

extension ClientRequest {
  /// The head with the batch's name, where it has one.
  func naming(_ batch: Batch) -> ClientRequest {
    batch.identity.map { adding(BatchIdentity.header, $0.text) } ?? self
  }
}

extension Batch {
  /// The batch, compressed for the time it waits.
  func packed(_ compressor: Compressor) -> Batch {
    guard !isCompressed else { return self }
    var packed = self
    packed.payload = compressor.compress(payload)
    packed.isCompressed = true
    return packed
  }
}
