internal import Compression
internal import Delivery
internal import DiskLog
internal import Logging
internal import Stitching
internal import Synchronization
internal import Telemetry
internal import Tenancy
internal import TraceWire
internal import Transport

/// What exporters were done with when an earlier life ended, and which exporters there are now.
final class JournalLeftovers: Sendable {
  private let settled: [Set<JournalUnit>]
  /// What came too late, what of that held nothing new, and what was not written down of it.
  private let late: Set<JournalUnit>
  private let unwritten = Mutex<[(unit: JournalUnit, isNew: Bool)]>([])
  private let repeated: Set<JournalUnit>
  private let exporters: [String]
  /// Where the journal's records lie, oldest first.
  let addresses: [UInt64]

  /// Looks through a journal.
  init(_ journal: AggregatorJournal) throws {
    exporters = journal.exporters
    var settled = exporters.map { _ in Set<JournalUnit>() }
    var late: Set<JournalUnit> = []
    var repeated: Set<JournalUnit> = []
    var addresses: [UInt64] = []
    try journal.log.index { entry in
      addresses.append(entry.address)
      switch JournalRecord(kind: entry.kind, header: entry.header) {
      case .settled(let units, let name):
        if let place = journal.exporters.firstIndex(of: name) { settled[place].formUnion(units) }
      case .late(let ids, let address, let isNew):
        let units = ids.map { JournalUnit(trace: $0, address: address) }
        late.formUnion(units)
        if !isNew { repeated.formUnion(units) }
      case .batch, .closed, nil: break
      }
    }
    self.settled = settled
    self.late = late
    self.repeated = repeated
    self.addresses = addresses
  }

  /// Whether a trace was closed when the batch at this address came.
  func isLate(_ unit: JournalUnit) -> Bool { late.contains(unit) }

  /// A trace was closed when the batch at this address came. The process ended before that was written, perhaps.
  func note(late unit: JournalUnit, isNew: Bool) {
    guard !late.contains(unit) else { return }
    unwritten.withLock { $0.append((unit, isNew)) }
  }

  /// Writes what the earlier life did not come to.
  func write(to journal: AggregatorJournal) {
    for (unit, isNew) in unwritten.withLock({ $0 }) {
      journal.write(late: [unit.trace], of: unit.address, isNew: isNew)
    }
  }

  /// The exporters, of those it was for, that are there and not done with a unit: a bit each.
  func pending(_ unit: JournalUnit, of names: [String]) -> UInt64 {
    var pending: UInt64 = 0
    guard !repeated.contains(unit) else { return pending }
    for (place, name) in exporters.enumerated() where names.contains(name) && !settled[place].contains(unit) {
      pending |= 1 << UInt64(place)
    }
    return pending
  }
}

/// Reads the journal of an earlier life and leads the shards to where it ended.
struct JournalReplay {
  let journal: AggregatorJournal
  let shared: AggregatorShared
  let lanes: PerLoop<AggregatorLane>
  let names: FlowNames
  let limits: FlowLimits
  let requestBytesMax: Int
  let logger: Logger

  private let decompressor = Decompressor()

  /// Records that are read and handed to the shards before they are waited for.
  private static let recordsAtOnce = 32

  /// Replays everything. What was counted by the last checkpoint; nil where there is none.
  func run() async throws -> FlowSnapshot? {
    let checkpoint = try journal.lastCheckpoint()
    let left = try JournalLeftovers(journal)
    let addresses = left.addresses
    var batches: [BatchIdentity] = []
    var isPast = checkpoint == nil
    var first = 0
    while first < addresses.count {
      let last = min(first + Self.recordsAtOnce, addresses.count)
      for (address, record) in try await journal.log.records(Array(addresses[first..<last])) {
        if !isPast, address > checkpoint?.through ?? 0 {
          isPast = true
          forgetCounts()
        }
        replay(address, record, left, &batches)
      }
      _ = await lanes.map { _ in }
      first = last
    }
    if !isPast { forgetCounts() }
    shared.known.restore(checkpoint?.window, batches)
    let recovered = await lanes.map { $0.bookRecovered() }
    left.write(to: journal)
    let traces = recovered.reduce(0) { $0 + $1.traces }
    if !addresses.isEmpty {
      logger.notice(
        "resumed from the journal",
        metadata: ["open_traces": "\(traces)", "spans": "\(recovered.reduce(0) { $0 + $1.spans })"])
    }
    return checkpoint.map { $0.totals.snapshot(names: names, limits: limits) }
  }

  private func forgetCounts() {
    for number in 0..<lanes.count { lanes.execute(on: number) { $0.forgetCounts() } }
  }

  private func replay(
    _ address: UInt64, _ record: DiskLogRecord, _ left: JournalLeftovers, _ batches: inout [BatchIdentity]
  ) {
    switch JournalRecord(kind: record.kind, header: record.header) {
    case .batch(let batch):
      if let identity = batch.identity { batches.append(identity) }
      replay(batch, record.payload, address, left)
    case .closed(let ids, let names):
      journal.noteMark(address)
      var parts = [[TraceID]](repeating: [], count: lanes.count)
      for id in ids { parts[shared.shardMap.shard(of: id)].append(id) }
      for (number, part) in parts.enumerated() where !part.isEmpty {
        lanes.execute(on: number) { $0.replay(closing: part, at: address, exporters: names, left) }
      }
    case .settled, .late: journal.noteMark(address)
    case nil: logger.error("a record of the journal is of an unknown kind", metadata: ["address": "\(address)"])
    }
  }

  private func replay(_ batch: JournalledBatch, _ payload: [UInt8], _ address: UInt64, _ left: JournalLeftovers) {
    var facts = RequestFacts()
    let tenant = batch.tenant.flatMap { shared.tenants.known($0) }
    guard batch.tenant == nil || tenant != nil,
      let bytes = try? decompressor.inflate(payload.span.bytes, coding: .zstd, limit: requestBytesMax),
      (try? facts.walk(bytes.span.bytes, keys: shared.attributeKeys)) != nil
    else {
      logger.error("a batch of the journal cannot be read", metadata: ["address": "\(address)"])
      return journal.noteBatch(address, shards: 0)
    }
    if let tenant { facts.setApart(by: tenant.mask) }
    let request = ReceivedRequest(
      bytes: bytes, facts: facts, tenant: tenant?.number ?? 0, peerRegion: batch.peerRegion)
    let age = batch.age(at: WallClock.milliseconds)
    var partitioner = RequestPartitioner(map: shared.shardMap)
    let lists = partitioner.partition(facts)
    journal.noteBatch(address, shards: lists.count { !$0.isEmpty })
    for (number, list) in lists.enumerated() where !list.isEmpty {
      lanes.execute(on: number) { $0.replay(request, list, entry: address, age: age, left) }
    }
  }
}

extension DiskLog {
  /// The records at these addresses that are there, in this order.
  fileprivate func records(_ addresses: [UInt64]) async throws -> [(UInt64, DiskLogRecord)] {
    try await withCheckedThrowingContinuation { continuation in
      read(addresses) { continuation.resume(with: $0) }
    }
  }
}
