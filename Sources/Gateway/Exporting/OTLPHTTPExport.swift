internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import TraceWire

/// OTLP/HTTP as a client speaks it: protobuf, POSTed.
struct OTLPHTTPExport: ExportDialect {
  let coding: ContentCoding
  let heads: HTTPRequestHeads
  let translates = false

  func message(_ batch: Batch, _ coding: ContentCoding, _ coder: MessageCoder) -> ExportMessage? {
    guard let head = heads.head(of: batch, coding), let body = coder.body(batch, coding) else { return nil }
    return .request(head, prefix: [], body: body)
  }

  func judge(_ result: Result<ClientResponse, ClientFailure>, _ batch: Batch) -> ExportJudgement {
    ExportJudgement(
      DeliveryAnswer(result) { response in
        (try? ExportResponse(protobuf: response.body.span.bytes))?.rejectedSpans ?? 0
      })
  }
}
