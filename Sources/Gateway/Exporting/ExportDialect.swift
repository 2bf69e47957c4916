internal import Compression
internal import Delivery
internal import HTTP2Engine

/// How one kind of destination is spoken to: what a batch becomes, and what an answer means. A value without state, so
/// that a batch can be translated on another thread than the one that sends it.
protocol ExportDialect: Sendable {
  /// The coding of messages to begin with.
  var coding: ContentCoding { get }
  /// Whether a message is something else than the batch's bytes. That takes time, and memory of its own.
  var translates: Bool { get }
  /// The message of what is left of a batch to send; nil where the batch's bytes are damaged.
  func message(_ batch: Batch, _ coding: ContentCoding, _ coder: MessageCoder) -> ExportMessage?
  /// What the answer to a batch's message means.
  func judge(_ result: Result<ClientResponse, ClientFailure>, _ batch: Batch) -> ExportJudgement
}

/// What an answer means.
struct ExportJudgement: Equatable {
  /// As the metrics count it.
  var answer: DeliveryAnswer
  /// What becomes of the batch.
  var verdict: DeliveryVerdict
  /// What the destination says of spans that it refused: its own text.
  var complaint: String?

  /// An answer that holds for the whole batch.
  init(_ answer: DeliveryAnswer) { self.init(answer, answer.verdict) }

  /// An answer that needs to be read span by span.
  init(_ answer: DeliveryAnswer, _ verdict: DeliveryVerdict, complaint: String? = nil) {
    self.answer = answer
    self.verdict = verdict
    self.complaint = complaint
  }
}

/// Makes messages' bytes of batches on one thread: what it has made compressors for is kept.
final class MessageCoder {
  private let decompressor = Decompressor()
  private var compressors: [ContentCoding: Compressor] = [:]

  /// Far above what a batch comes to: one span can be as large as a request.
  private static let batchBytesMax = 1 << 31

  /// The batch's OTLP bytes; nil where what was compressed is damaged.
  func plain(_ batch: Batch) -> [UInt8]? {
    guard batch.isCompressed else { return batch.payload }
    return try? decompressor.inflate(batch.payload.span.bytes, coding: .zstd, limit: Self.batchBytesMax)
  }

  /// The batch's OTLP bytes in a coding; nil where what was compressed is damaged.
  func body(_ batch: Batch, _ coding: ContentCoding) -> [UInt8]? {
    if batch.isReady(for: coding) { return batch.payload }
    return plain(batch).map { compress($0, coding) }
  }

  /// Bytes in a coding.
  func compress(_ bytes: [UInt8], _ coding: ContentCoding) -> [UInt8] {
    guard coding != .identity else { return bytes }
    let compressor = compressors[coding] ?? Compressor(coding)
    compressors[coding] = compressor
    return compressor.compress(bytes)
  }
}
