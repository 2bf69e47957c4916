internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import Tenancy
internal import TraceWire

/// OTLP/gRPC as a client speaks it: a batch to a request, a response to a plain answer.
struct OTLPExport: ExportDialect {
  static let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

  let coding: ContentCoding
  let translates = false
  private let heads: HTTPRequestHeads

  /// Requests to a server, with further header fields from the configuration.
  init(
    authority: String, isSecure: Bool, coding: ContentCoding, headers: [(name: String, value: String)],
    tenantHeader: String = TenantRules().header
  ) {
    self.coding = coding
    heads = HTTPRequestHeads(
      authority: authority, isSecure: isSecure, path: Self.path, contentType: "application/grpc+proto",
      codingField: "grpc-encoding", headers: [("te", "trailers")] + headers, tenantHeader: tenantHeader)
  }

  func message(_ batch: Batch, _ coding: ContentCoding, _ coder: MessageCoder) -> ExportMessage? {
    guard let head = heads.head(of: batch, coding), let body = coder.body(batch, coding) else { return nil }
    return .request(head.naming(batch), prefix: prefix(coding, body), body: body)
  }

  func judge(_ result: Result<ClientResponse, ClientFailure>, _ batch: Batch) -> ExportJudgement {
    ExportJudgement(Self.answer(result))
  }

  /// The head of a request and its message's gRPC prefix, for a message that is not compressed.
  func plain(_ message: [UInt8]) -> (head: ClientRequest, prefix: [UInt8])? {
    heads[.identity].map { ($0, prefix(.identity, message)) }
  }

  private func prefix(_ coding: ContentCoding, _ body: [UInt8]) -> [UInt8] {
    var prefix: [UInt8] = []
    GRPCMessagePrefix(isCompressed: coding != .identity, length: UInt32(clamping: body.count)).append(to: &prefix)
    return prefix
  }

  /// What a response says.
  static func answer(_ result: Result<ClientResponse, ClientFailure>) -> DeliveryAnswer {
    switch result {
    case .failure(let failure): DeliveryAnswer(failure)
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

extension DeliveryAnswer {
  /// What a request's failure says of its batch.
  init(_ failure: ClientFailure) {
    switch failure {
    case .goneAway: self = .failed(.unprocessed)
    case .connectionLost: self = .failed(.connection)
    case .reset, .tooLarge: self = .failed(.stream)
    }
  }
}

extension ClientRequest {
  /// The head with the batch's name, where it has one.
  func naming(_ batch: Batch) -> ClientRequest {
    batch.identity.map { adding(BatchIdentity.header, $0.text) } ?? self
  }
}

extension Batch {
  /// Whether its bytes are sent in a coding as they are.
  func isReady(for coding: ContentCoding) -> Bool { coding == (isCompressed ? .zstd : .identity) }

  /// The batch, compressed for the time it waits.
  func packed(_ compressor: Compressor) -> Batch { storing(compressor).asStored }

  /// The batch with its compressed bytes beside it.
  func storing(_ compressor: Compressor) -> Batch {
    guard !isCompressed else { return self }
    var batch = self
    batch.stored = compressor.compress(payload)
    return batch
  }

  /// Only the compressed bytes of a batch that has them.
  var asStored: Batch {
    guard let stored else { return self }
    var batch = self
    (batch.payload, batch.isCompressed, batch.stored) = (stored, true, nil)
    return batch
  }

  /// Only the payload.
  var asSent: Batch {
    var batch = self
    batch.stored = nil
    return batch
  }
}
