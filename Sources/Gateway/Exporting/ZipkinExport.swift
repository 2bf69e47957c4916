internal import Compression
internal import Delivery
internal import Formats
internal import HTTP2Engine

/// Zipkin's `POST /api/v2/spans` as a client speaks it: JSON.
struct ZipkinExport: ExportDialect {
  let coding: ContentCoding
  let heads: HTTPRequestHeads
  let translates = true

  func message(_ batch: Batch, _ coding: ContentCoding, _ coder: MessageCoder) -> ExportMessage? {
    guard let head = heads.head(of: batch, coding), let request = coder.plain(batch),
      let spans = try? ZipkinJSONOutput.spans(request.span.bytes)
    else { return nil }
    return .request(head, prefix: [], body: coder.compress(spans, coding))
  }

  func judge(_ result: Result<ClientResponse, ClientFailure>, _ batch: Batch) -> ExportJudgement {
    ExportJudgement(DeliveryAnswer(result))
  }
}
