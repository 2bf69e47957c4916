internal import Delivery
internal import DiskLog
internal import Logging
internal import Telemetry

/// The relay's sending queue on disk, which its event loops share: `sending_queue.storage`.
///
/// A batch is written before anybody is told that its spans were accepted, and goes when the aggregator has answered. Its address is its
/// sequence number, so that the aggregator knows it again when it is sent by the next life of the relay.
final class StoredQueue: Sendable {
  let log: DiskLog
  /// What an earlier life left, oldest first.
  let left: [StoredBatch]
  private let source: (high: UInt64, low: UInt64)

  /// How long the first span of a batch waits for company: clients wait for the disk.
  static let timeout = Duration.milliseconds(10)
  /// Bytes that one event loop holds in memory; the rest waits on disk alone.
  static let bytesInMemoryMax = 8 << 20
  /// Those of them up to which batches are held as they are sent, where that is not as they are stored.
  static let payloadBytesMax = 4 << 20

  private init(log: DiskLog, left: [StoredBatch]) {
    self.log = log
    self.left = left
    let halves = [log.identity.bytes.prefix(8), log.identity.bytes.dropFirst(8)].map { half in
      half.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    source = (halves[0], halves[1])
  }

  /// Opens the queue in a directory. Throws `StartFailure` where that cannot be.
  static func open(_ directory: String, maxBytes: Int, logger: Logger) throws -> StoredQueue {
    do {
      let log = try DiskLog.open(DiskLogOptions(directory: directory, name: "queue", maxBytes: maxBytes))
      log.reportOpening("the sending queue on disk", logger)
      var left: [StoredBatch] = []
      try log.index { entry in
        if let batch = StoredBatch(entry) { left.append(batch) }
      }
      if !left.isEmpty {
        let spans = left.reduce(0) { $0 + $1.spanCount }
        logger.notice(
          "batches of an earlier life are sent first", metadata: ["batches": "\(left.count)", "spans": "\(spans)"])
      }
      return StoredQueue(log: log, left: left)
    } catch {
      throw StartFailure(message: "cannot open the sending queue in \(directory): \(error)")
    }
  }

  /// One event loop's part of what an earlier life left: every so many-th batch, so that all loops send the oldest first.
  func share(of number: Int, among loops: Int) -> [StoredBatch] {
    stride(from: number, to: left.count, by: loops).map { left[$0] }
  }

  /// Whether it takes nothing new.
  var isFull: Bool { log.isFull }

  /// Ends it when everything that was given to it is on disk.
  func close() async { await log.close() }

  /// What it holds and has done.
  func families() -> [MetricFamily] { log.families() }

  /// What the aggregator knows a batch by.
  func identity(_ address: UInt64, epoch: UInt64) -> BatchIdentity {
    BatchIdentity(
      origin: BatchIdentity.Origin(high: source.high, low: source.low, epoch: epoch), sequence: address)
  }
}
