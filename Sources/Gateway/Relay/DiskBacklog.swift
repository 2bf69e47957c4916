internal import Delivery
internal import DequeModule
internal import DiskLog
internal import NIOCore
internal import Telemetry

/// One event loop's batches on disk: it writes them, gives the exporter as many as it may hold in memory, reads the
/// others back when there is room, and removes those that have settled.
final class DiskBacklog {
  private let store: StoredQueue
  private let exporter: ExporterLane
  private let ledger: SpanLedger
  private let budget: ByteBudget
  private let loop: any EventLoop
  /// On disk alone, oldest first.
  private var waiting: Deque<StoredBatch> = []
  private var isReading = false
  /// Payloads of batches that are being written.
  private var payloadBytes = 0
  /// Batches that have settled and are to be removed.
  private var removals: [ClosedRange<UInt64>] = []
  private var removalTimer: Scheduled<Void>?

  /// How long removals wait for a batch to be written, so that one commit does for both. What is killed with them is
  /// sent once more by the next life, and the aggregator knows it.
  private static let removalDelay = TimeAmount.milliseconds(50)
  private static let removalsMax = 256

  init(_ store: StoredQueue, exporter: ExporterLane, ledger: SpanLedger, budget: ByteBudget, loop: any EventLoop) {
    self.store = store
    self.exporter = exporter
    self.ledger = ledger
    self.budget = budget
    self.loop = loop
  }

  /// Begins with this loop's part of what an earlier life left. Its spans count as received again: this process has
  /// them, and never heard of them before.
  func start(_ left: [StoredBatch]) {
    exporter.onSettled = { [weak self] settlement in self?.settled(settlement) }
    for batch in left {
      ledger.received(batch.spanCount, by: batch.receiver)
      ledger.held(batch.spanCount, in: .queue)
      waiting.append(batch)
    }
    refill()
  }

  /// Whether a batch is likely to be sent as soon as it is on disk, so that its payload is better kept than made again
  /// of what is stored: little waits, and there is memory.
  func keepsPayload(of batch: Batch) -> Bool {
    exporter.queuedBytes + payloadBytes + batch.byteCount <= StoredQueue.payloadBytesMax && !budget.isOverSoftLimit
  }

  /// Writes a batch, whose spans are booked as held in the stage `batch` and whose bytes are charged. `written` tells
  /// whether it is on disk; where it is not, its spans are refused and booked so.
  func write(_ batch: Batch, _ receiver: ReceiverKind, written: @escaping (Bool) -> Void) {
    var transaction = DiskLogTransaction()
    transaction.appends = [
      DiskLogRecord(
        kind: StoredBatch.kind, header: StoredBatch.header(batch, receiver, epoch: store.log.opening.epoch),
        payload: batch.asStored.payload)
    ]
    if batch.stored != nil { payloadBytes += batch.payload.count }
    if !store.isFull { transaction.removals = takeRemovals() }
    let here = NIOLoopBound((lane: self, written: written), eventLoop: loop)
    store.log.commit(transaction) { [loop, removals = transaction.removals] result in
      loop.execute {
        let (lane, written) = here.value
        lane.conclude(batch, receiver, result)
        if case .failure = result { lane.remove(removals) }
        written((try? result.get()) != nil)
      }
    }
  }

  private func conclude(_ batch: Batch, _ receiver: ReceiverKind, _ result: Result<Range<UInt64>, DiskLogFault>) {
    if batch.stored != nil { payloadBytes -= batch.payload.count }
    guard case .success(let addresses) = result, let address = addresses.first else {
      ledger.held(-batch.spanCount, in: .batch)
      ledger.left(batch.spanCount, as: .rejected)
      return budget.release(batch.byteCount)
    }
    ledger.moved(batch.spanCount, from: .batch, to: .queue)
    if waiting.isEmpty, !isReading, exporter.queuedBytes < StoredQueue.bytesInMemoryMax {
      budget.recharge(from: batch.byteCount, to: batch.asSent.byteCount)
      hand(batch.asSent, address, epoch: store.log.opening.epoch)
    } else {
      waiting.append(StoredBatch(address: address, epoch: store.log.opening.epoch, batch, receiver))
      budget.release(batch.byteCount)
    }
  }

  private func hand(_ batch: Batch, _ address: UInt64, epoch: UInt64) {
    var batch = batch
    batch.owners = []
    batch.address = address
    batch.identity = store.identity(address, epoch: epoch)
    exporter.enqueue(batch)
  }

  private func settled(_ settlement: Settlement) {
    guard let address = settlement.batch.address else { return }
    removals.append(address...address)
    if removals.count >= Self.removalsMax || store.isFull { removeSettled() } else { scheduleRemoval() }
    refill()
  }

  /// Removes what has settled, without waiting for a batch to be written.
  func removeSettled() { remove(takeRemovals()) }

  private func takeRemovals() -> [ClosedRange<UInt64>] {
    defer { removals = [] }
    return removals
  }

  private func remove(_ addresses: [ClosedRange<UInt64>]) {
    guard !addresses.isEmpty else { return }
    var transaction = DiskLogTransaction()
    transaction.removals = addresses
    transaction.isForced = true
    // Where this fails the batches are sent once more by the next life, and the aggregator knows them.
    store.log.commit(transaction) { _ in }
  }

  private func scheduleRemoval() {
    guard removalTimer == nil else { return }
    removalTimer = loop.assumeIsolated().scheduleTask(in: Self.removalDelay) { [weak self] in
      self?.removalTimer = nil
      self?.removeSettled()
    }
  }

  /// Reads batches back while there is room for them.
  private func refill() {
    guard !isReading, !waiting.isEmpty, exporter.queuedBytes < StoredQueue.bytesInMemoryMax / 2 else { return }
    var batches: [StoredBatch] = []
    var bytes = 0
    while bytes < StoredQueue.bytesInMemoryMax / 4, let next = waiting.popFirst() {
      batches.append(next)
      bytes += next.byteCount
    }
    isReading = true
    let here = NIOLoopBound((lane: self, batches: batches), eventLoop: loop)
    store.log.read(batches.map(\.address)) { [loop] result in
      loop.execute {
        let (lane, batches) = here.value
        lane.isReading = false
        lane.take(batches, result)
      }
    }
  }

  private func take(_ batches: [StoredBatch], _ result: Result<[(UInt64, DiskLogRecord)], DiskLogFault>) {
    guard case .success(let records) = result else {
      // It cannot be read now; it stays where it is, and is asked for again with the next that settles.
      for batch in batches.reversed() { waiting.prepend(batch) }
      loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.refill() }
      return
    }
    let found = Dictionary(records.map { ($0.0, $0.1) }) { first, _ in first }
    for batch in batches {
      guard let record = found[batch.address] else {
        // Damaged on disk: what cannot be read cannot be sent.
        ledger.held(-batch.spanCount, in: .queue)
        ledger.left(batch.spanCount, as: .undeliverable)
        continue
      }
      budget.reserveUnchecked(record.payload.count)
      var read = Batch(payload: record.payload, spanCount: batch.spanCount, tenant: batch.tenant)
      read.isCompressed = true
      hand(read, batch.address, epoch: batch.epoch)
    }
    refill()
  }
}
