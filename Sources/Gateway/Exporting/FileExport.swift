internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import TraceWire

/// Batches as a file holds them: OTLP/JSON, a batch a line (OTLP specification, "File Exporter").
struct FileExport: ExportDialect {
  let coding = ContentCoding.identity
  let translates = true

  func message(_ batch: Batch, _ coding: ContentCoding, _ coder: MessageCoder) -> ExportMessage? {
    guard let request = coder.plain(batch), var line = try? OTLPJSONText.line(request.span.bytes) else { return nil }
    line.append(UInt8(ascii: "\n"))
    return .line(line)
  }

  func judge(_ result: Result<ClientResponse, ClientFailure>, _ batch: Batch) -> ExportJudgement {
    ExportJudgement(DeliveryAnswer(result))
  }
}
