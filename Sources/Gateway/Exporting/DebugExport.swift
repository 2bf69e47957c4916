internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import Logging
internal import TraceWire

/// Batches as the log shows them: a line for every trace of a batch, or for every span.
struct DebugExport: ExportDialect {
  let verbosity: DebugConfiguration.Verbosity
  let coding = ContentCoding.identity
  let translates = true

  func message(_ batch: Batch, _ coding: ContentCoding, _ coder: MessageCoder) -> ExportMessage? {
    guard let request = coder.plain(batch) else { return nil }
    let entries =
      switch verbosity {
      case .basic: try? Self.traces(in: request)
      case .detailed: SpanDump.entries(of: request)
      }
    return entries.map { .events(Self.naming(batch.tenant, $0)) }
  }

  func judge(_ result: Result<ClientResponse, ClientFailure>, _ batch: Batch) -> ExportJudgement {
    ExportJudgement(DeliveryAnswer(result))
  }

  /// The same events, which say whose they are.
  private static func naming(_ tenant: String?, _ entries: [ExportMessage.LogEntry]) -> [ExportMessage.LogEntry] {
    guard let tenant else { return entries }
    return entries.map { entry in
      var named = entry
      named.metadata["tenant"] = .string(tenant)
      return named
    }
  }

  /// What a line says of a trace.
  private struct Summary {
    var spans = 0
    var errors = 0
    var start = UInt64.max
    var end = UInt64.min
    var services: [String] = []
    var regions: [String] = []
  }

  /// Names that a line shows of each sort.
  private static let namesMax = 8

  private static func traces(in request: [UInt8]) throws(WireFault) -> [ExportMessage.LogEntry] {
    var facts = RequestFacts()
    try facts.walk(request.span.bytes, keys: AttributeKeys())
    var order: [TraceID] = []
    var summaries: [TraceID: Summary] = [:]
    for span in facts.spans {
      var summary = summaries[span.traceID] ?? Summary()
      if summary.spans == 0 { order.append(span.traceID) }
      summary.spans += 1
      if span.traits.contains(.error) { summary.errors += 1 }
      summary.start = min(summary.start, span.start)
      summary.end = max(summary.end, span.end)
      let resource = facts.resources[Int(span.resource)]
      add(resource.service, of: request, to: &summary.services)
      add(resource.region, of: request, to: &summary.regions)
      summaries[span.traceID] = summary
    }
    return order.compactMap { trace in summaries[trace].map { entry(trace, $0) } }
  }

  private static func add(_ range: ByteRange, of request: [UInt8], to names: inout [String]) {
    guard !range.isEmpty, names.count < namesMax else { return }
    let name = String(decoding: request[range.indices], as: UTF8.self)
    if !names.contains(name) { names.append(name) }
  }

  private static func entry(_ trace: TraceID, _ summary: Summary) -> ExportMessage.LogEntry {
    let nanoseconds = summary.end > summary.start ? summary.end - summary.start : 0
    var metadata: Logger.Metadata = [
      "trace_id": .string(hexadecimal(trace.high) + hexadecimal(trace.low)),
      "spans": .stringConvertible(summary.spans), "errors": .stringConvertible(summary.errors),
      "duration_ms": .stringConvertible(Double(nanoseconds / 1000) / 1000),
    ]
    if !summary.services.isEmpty { metadata["services"] = .array(summary.services.map { .string($0) }) }
    if !summary.regions.isEmpty { metadata["regions"] = .array(summary.regions.map { .string($0) }) }
    return ExportMessage.LogEntry(message: "trace", metadata: metadata)
  }

  private static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
