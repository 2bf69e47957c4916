internal import Delivery
internal import DequeModule
internal import DiskLog
internal import Foundation
internal import Logging
internal import Stitching
internal import Synchronization
internal import Telemetry
internal import Tenancy
internal import TraceWire
internal import Transport

/// The aggregator's journal on disk (`stitching.storage`): what was accepted, closed and exported, in the order in which
/// the shards see it, and now and then what was counted by then.
///
/// Everything reaches the shards by way of the log's thread, after it was committed. So an order for all loops sent from
/// there divides, on every shard, what lies before an address from what comes after: a checkpoint is exact.
final class AggregatorJournal: Sendable {
  /// What was counted up to an address, and what was received up to it.
  struct Checkpoint: Codable, Sendable {
    var through: UInt64
    var totals: FlowTotals
    var window: BatchWindow
  }

  fileprivate struct State {
    /// Shards that need an entry.
    var shards: [UInt64: Int] = [:]
    /// Entries, oldest first; one that is needed no more stays until it comes first.
    var entries: Deque<UInt64> = []
    /// All other records, oldest first.
    var marks: Deque<UInt64> = []
    /// To be removed with the next checkpoint.
    var free: [UInt64] = []
    /// The address of the last record that was sent to the shards.
    var through: UInt64 = 0
    var isCheckpointing = false
    var isChanged = false
    var isFailing = false
  }

  static let checkpointName = "checkpoint"
  static let tenantKeyName = "tenant_key"
  /// Records that go with one checkpoint; on a full disk fewer, for which there is room in the write-ahead log.
  private static let removalsMax = 16_384
  private static let removalsOfFullDisk = 200

  let log: DiskLog
  /// The exporters by name; one's place is its bit.
  let exporters: [String]
  private let state = Mutex(State())
  private let logger: Logger

  init(_ log: DiskLog, exporters: [String], logger: Logger) {
    self.log = log
    self.exporters = exporters
    self.logger = logger
  }

  /// Opens the journal in a directory. Throws `StartFailure` where that cannot be.
  static func open(
    _ directory: String, maxBytes: Int, exporters: [String], logger: Logger
  ) throws -> AggregatorJournal {
    do {
      let log = try DiskLog.open(DiskLogOptions(directory: directory, name: "journal", maxBytes: maxBytes))
      log.reportOpening("the journal", logger)
      return AggregatorJournal(log, exporters: exporters, logger: logger)
    } catch {
      throw StartFailure(message: "cannot open the journal in \(directory): \(error)")
    }
  }

  /// A bit for each exporter.
  var allExporters: UInt64 { exporters.isEmpty ? 0 : .max >> UInt64(64 - exporters.count) }

  /// Whether it takes nothing new.
  var isFull: Bool { log.isFull }

  /// Ends it when everything that was given to it is on disk.
  func close() async { await log.close() }

  /// What it holds and has done.
  func families() -> [MetricFamily] { log.families() }

  /// The key of the masks that keep tenants' traces apart in this journal. Where there is none a new one is written down
  /// first, if it is needed. Throws `StartFailure` where that cannot be.
  func tenantKey(isNeeded: Bool) async throws -> TenantKey {
    do {
      if let key = try log.note(Self.tenantKeyName).flatMap({ TenantKey($0) }) { return key }
      let key = TenantKey.random()
      guard isNeeded else { return key }
      var transaction = DiskLogTransaction()
      transaction.isForced = true
      transaction.notes[Self.tenantKeyName] = key.bytes
      _ = try await withCheckedThrowingContinuation { continuation in
        log.commit(transaction) { continuation.resume(with: $0) }
      }
      return key
    } catch {
      throw StartFailure(message: "cannot keep the tenants' key in the journal: \(error)")
    }
  }

  // MARK: Writing

  /// Writes an accepted batch, of which so many shards have spans. `written` is called on the log's thread, with the
  /// address: what it sends to the shards reaches them in the journal's order.
  func write(
    _ batch: JournalledBatch, payload: [UInt8], shards: Int,
    written: @escaping @Sendable (Result<UInt64, DiskLogFault>) -> Void
  ) {
    write(.batch(batch), payload: payload, isForced: false) { [self] result in
      if case .success(let address) = result { noteBatch(address, shards: shards) }
      written(result)
    }
  }

  /// Writes that traces are to close.
  func write(closing ids: [TraceID], written: @escaping @Sendable (Result<UInt64, DiskLogFault>) -> Void) {
    write(.closed(ids, exporters: exporters), isForced: true) { [self] result in
      if case .success(let address) = result { noteMark(address) }
      written(result)
    }
  }

  /// Writes what an exporter is done with. Where that fails it is exported once more after a crash.
  func write(settled units: [JournalUnit], by exporter: Int) {
    guard !units.isEmpty else { return }
    write(.settled(units, exporter: exporters[exporter]), isForced: true) { [self] result in
      if case .success(let address) = result { noteMark(address) }
    }
  }

  /// Writes that an entry mentions traces that were closed. Where that fails, they are new ones after a crash if nothing
  /// else tells of their closing.
  func write(late ids: [TraceID], of entry: UInt64, isNew: Bool) {
    write(.late(ids, of: entry, isNew: isNew), isForced: true) { [self] result in
      if case .success(let address) = result { noteMark(address) }
    }
  }

  private func write(
    _ record: JournalRecord, payload: [UInt8] = [], isForced: Bool,
    written: @escaping @Sendable (Result<UInt64, DiskLogFault>) -> Void
  ) {
    var transaction = DiskLogTransaction()
    transaction.appends = [record.record(payload: payload)]
    transaction.isForced = isForced
    log.commit(transaction) { result in written(result.map { $0.lowerBound }) }
  }

  // MARK: What is needed

  /// A batch lies in the journal, and so many shards are to take their spans out of it.
  func noteBatch(_ address: UInt64, shards: Int) {
    state.withLock { state in
      state.through = address
      state.isChanged = true
      state.entries.append(address)
      state.shards[address] = shards
      if shards == 0 { state.release(address) }
    }
  }

  /// A record that is no batch lies in the journal.
  func noteMark(_ address: UInt64) {
    state.withLock { state in
      state.through = address
      state.isChanged = true
      state.marks.append(address)
    }
  }

  /// A shard needs these entries no more.
  func release(_ entries: [UInt64]) {
    guard !entries.isEmpty else { return }
    state.withLock { state in
      for entry in entries {
        guard let shards = state.shards[entry] else { continue }
        state.shards[entry] = shards - 1
        if shards == 1 { state.release(entry) }
      }
    }
  }

  // MARK: Checkpoints

  /// Writes down what all lanes have counted by now, and removes what nobody needs. Nothing happens while nothing has
  /// changed, or another checkpoint is being written.
  func checkpoint(
    _ lanes: PerLoop<AggregatorLane>, base: FlowSnapshot?, known: KnownBatches,
    then done: @escaping @Sendable () -> Void
  ) {
    let isDue = state.withLock { state in
      guard state.isChanged || !state.free.isEmpty, !state.isCheckpointing else { return false }
      state.isCheckpointing = true
      state.isChanged = false
      return true
    }
    guard isDue else { return done() }
    var barrier = DiskLogTransaction()
    barrier.isForced = true
    log.commit(barrier) { [self] _ in
      let limit = log.isFull ? Self.removalsOfFullDisk : Self.removalsMax
      let (through, removals) = state.withLock { ($0.through, $0.takeRemovals(limit)) }
      let window = known.window
      let sum = FlowSum(base, parts: lanes.count)
      for number in 0..<lanes.count {
        lanes.execute(on: number) { [self] lane in
          guard let all = sum.add(lane.flows()) else { return }
          write(Checkpoint(through: through, totals: FlowTotals(all), window: window), removals, done)
        }
      }
    }
  }

  private func write(_ checkpoint: Checkpoint, _ removals: [UInt64], _ done: @escaping @Sendable () -> Void) {
    var transaction = DiskLogTransaction()
    transaction.isForced = true
    transaction.removals = removals.map { $0...$0 }
    if let data = try? JSONEncoder().encode(checkpoint) { transaction.notes[Self.checkpointName] = Array(data) }
    log.commit(transaction) { [self] result in
      let isNews = state.withLock { state in
        state.isCheckpointing = false
        guard case .failure = result else {
          state.isFailing = false
          return false
        }
        state.free += removals
        state.isChanged = true
        defer { state.isFailing = true }
        return !state.isFailing
      }
      if isNews, case .failure(let fault) = result {
        logger.error("the journal takes no checkpoint; it is tried again", metadata: ["reason": "\(fault)"])
      }
      done()
    }
  }

  /// The last checkpoint; nil where there is none.
  func lastCheckpoint() throws -> Checkpoint? {
    try log.note(Self.checkpointName).map { try JSONDecoder().decode(Checkpoint.self, from: Data($0)) }
  }
}

extension AggregatorJournal.State {
  /// An entry is needed no more.
  fileprivate mutating func release(_ entry: UInt64) {
    shards[entry] = nil
    free.append(entry)
  }

  /// What nobody needs: entries, and the marks before the first entry that is needed.
  fileprivate mutating func takeRemovals(_ limit: Int) -> [UInt64] {
    while let first = entries.first, shards[first] == nil { entries.removeFirst() }
    let oldest = entries.first ?? .max
    while let mark = marks.first, mark < oldest { free.append(marks.removeFirst()) }
    let removals = Array(free.prefix(limit))
    free.removeFirst(removals.count)
    return removals
  }
}

/// Adds up what the lanes have counted.
private final class FlowSum: Sendable {
  private let state: Mutex<(sum: FlowSnapshot?, left: Int)>

  init(_ base: FlowSnapshot?, parts: Int) { state = Mutex((base, parts)) }

  /// Adds a part; the sum when it was the last.
  func add(_ part: FlowSnapshot) -> FlowSnapshot? {
    state.withLock { state in
      if state.sum == nil { state.sum = part } else { state.sum?.merge(part) }
      state.left -= 1
      return state.left == 0 ? state.sum : nil
    }
  }
}
