internal import Compression
internal import Delivery
internal import Formats
internal import HTTP2Engine

/// Elasticsearch's bulk API as a client speaks it: a document a span. The answer judges every document by itself; those
/// for which there was no room are sent again, without the others.
struct ElasticsearchExport: ExportDialect {
  let coding: ContentCoding
  let translates = true
  private let heads: HTTPRequestHeads
  private let bulk: ElasticsearchBulk

  /// Documents for a server.
  init(_ server: ElasticsearchConfiguration, coding: ContentCoding, heads: HTTPRequestHeads) {
    self.coding = coding
    self.heads = heads
    bulk = ElasticsearchBulk(index: ElasticsearchIndex(server))
  }

  /// Where documents go. The answer is to hold no more than what is read of it.
  static func target(below basePath: String) -> String {
    basePath + "/_bulk?filter_path=errors,items.*.status,items.*.error.type"
  }

  func message(_ batch: Batch, _ coding: ContentCoding, _ coder: MessageCoder) -> ExportMessage? {
    guard let head = heads.head(of: batch, coding), let request = coder.plain(batch),
      let documents = try? bulk.documents(request.span.bytes)
    else { return nil }
    let body = batch.progress.map { documents.only($0.left).bytes } ?? documents.bytes
    return .request(head, prefix: [], body: coder.compress(body, coding))
  }

  func judge(_ result: Result<ClientResponse, ClientFailure>, _ batch: Batch) -> ExportJudgement {
    let answer = DeliveryAnswer(result)
    guard case .success(let response) = result, (200...299).contains(response.status) else {
      return ExportJudgement(answer)
    }
    // Documents have IDs: nothing is stored twice by being sent again.
    guard let results = try? ElasticsearchBulk.results(response.body) else {
      return ExportJudgement(.failed(.stream))
    }
    let before = batch.progress ?? DeliveryProgress(delivered: 0, rejected: 0, left: Array(0..<batch.spanCount))
    return judge(results, after: before)
  }

  private func judge(_ results: ElasticsearchResults, after before: DeliveryProgress) -> ExportJudgement {
    var progress = DeliveryProgress(delivered: before.delivered, rejected: before.rejected, left: [])
    for (number, place) in before.left.enumerated() {
      switch results.verdict(of: number) {
      case .stored: progress.delivered += 1
      case .retry: progress.left.append(place)
      case .refused: progress.rejected += 1
      }
    }
    let complaint = progress.rejected > before.rejected ? results.errorType : nil
    guard !progress.left.isEmpty else {
      return ExportJudgement(.http(status: 200), .delivered(rejected: progress.rejected), complaint: complaint)
    }
    return ExportJudgement(.http(status: 429), .retryRest(progress, after: nil), complaint: complaint)
  }
}

extension ElasticsearchIndex {
  /// What is configured; the data stream `traces-generic-default` where nothing is.
  fileprivate init(_ server: ElasticsearchConfiguration) {
    let suffix: DateSuffix =
      switch server.dateFormat {
      case .day: .day
      case .month: .month
      case nil: .none
      }
    let named = server.index.flatMap { ElasticsearchIndex(name: $0, dateSuffix: suffix) }
    let stream =
      suffix == .none
      ? ElasticsearchIndex(dataset: "generic", namespace: "default")
      : ElasticsearchIndex(name: "traces-generic-default", dateSuffix: suffix)
    guard let index = named ?? stream else { preconditionFailure("the default stream's name is one") }
    self = index
  }
}
