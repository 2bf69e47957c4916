/// One lane's batches that are not settled, in memory.
///
/// Numbered in the order they came. The oldest that may be sent goes first; one that waits for its retry lets the others
/// pass. Its bytes are charged to `capacity`, which all lanes of one exporter share. Batches settle in any order; what is
/// settled is kept as an `Acknowledgement`, from which a queue on disk would know what to drop.
public struct SendingQueue: Sendable {
  /// How a batch is taken in.
  public enum Admission: Sendable {
    /// Only where there is room.
    case ifRoom
    /// Whether there is room or not: its spans were acknowledged.
    case force
    /// Its bytes were already charged to `capacity` (by `ExporterFanOut`).
    case charged
  }

  private struct Postponed: Comparable, Sendable {
    var until: UInt64
    var sequence: UInt64
    static func < (a: Self, b: Self) -> Bool { (a.until, a.sequence) < (b.until, b.sequence) }
  }

  /// Who sends.
  public let lane: UInt32
  /// The life of the lane's numbering.
  public let epoch: UInt64
  /// What the queue may hold: `sending_queue.max_size_mib` of the exporter.
  public let capacity: ByteBudget
  /// Bytes and spans of this lane.
  public private(set) var byteCount = 0
  public private(set) var spanCount = 0
  /// What is settled.
  public private(set) var settled: Acknowledgement
  private var nextSequence: UInt64 = 0
  private var units: [UInt64: DeliveryUnit] = [:]
  private var waiting = MinHeap<UInt64>()
  private var postponed = MinHeap<Postponed>()

  /// Makes an empty queue whose first batch gets the sequence number 0.
  public init(lane: UInt32 = 0, epoch: UInt64 = 0, capacity: ByteBudget) {
    self.lane = lane
    self.epoch = epoch
    self.capacity = capacity
    settled = Acknowledgement(epoch: epoch)
  }

  /// The number of batches held.
  public var count: Int { units.count }
  public var isEmpty: Bool { units.isEmpty }
  /// Whether no more should be taken in. Concerns all lanes of the exporter.
  public var isFull: Bool { capacity.isOverSoftLimit }
  /// Whether a batch of so many bytes would be taken in now.
  public func canAccept(_ bytes: Int) -> Bool { capacity.used == 0 || bytes <= capacity.softLimit - capacity.used }
  /// A unit by its sequence number, unless it is settled.
  public subscript(sequence: UInt64) -> DeliveryUnit? { units[sequence] }

  /// Takes a batch in and gives its sequence number, or nil where it was not admitted.
  public mutating func enqueue(_ batch: Batch, _ admission: Admission, now: UInt64 = 0) -> UInt64? {
    switch admission {
    case .ifRoom: guard capacity.admit(batch.byteCount) else { return nil }
    case .force: capacity.reserveUnchecked(batch.byteCount)
    case .charged: break
    }
    let sequence = nextSequence
    nextSequence += 1
    var unit = DeliveryUnit(lane: lane, epoch: epoch, sequence: sequence, batch: batch)
    unit.enqueuedAt = now
    units[sequence] = unit
    byteCount += batch.byteCount
    spanCount += batch.spanCount
    waiting.insert(sequence)
    return sequence
  }

  /// The oldest batch that may be sent now.
  mutating func nextToSend(_ now: UInt64) -> UInt64? {
    while let first = postponed.first, first.until <= now {
      _ = postponed.popFirst()
      guard units[first.sequence]?.state == .postponed(until: first.until) else { continue }
      units[first.sequence]?.state = .waiting
      waiting.insert(first.sequence)
    }
    while let first = waiting.first {
      if units[first]?.state == .waiting { return first }
      _ = waiting.popFirst()
    }
    return nil
  }

  /// When the first postponed batch is due.
  var nextDue: UInt64? { postponed.first?.until }

  /// Marks a batch as sent, and gives how often it was.
  mutating func sent(_ sequence: UInt64, slot: Int, now: UInt64, deadline: UInt64) -> Int {
    guard var unit = units.removeValue(forKey: sequence) else { preconditionFailure("only a held batch is sent") }
    precondition(unit.state == .waiting, "only a waiting batch is sent")
    if waiting.first == sequence { _ = waiting.popFirst() }
    unit.state = .inFlight(slot: slot, deadline: deadline)
    unit.attempts += 1
    unit.sentAt = now
    units[sequence] = unit
    return unit.attempts
  }

  /// Notes that a batch's answer did not come in time.
  mutating func timedOut(_ sequence: UInt64) { units[sequence]?.timeouts += 1 }

  /// Notes what the destination has decided about some of a batch's spans.
  mutating func progressed(_ sequence: UInt64, _ progress: DeliveryProgress) {
    units[sequence]?.batch.progress = progress
  }

  /// Puts a batch off, as its history after the try says.
  mutating func postpone(_ unit: DeliveryUnit, until: UInt64) {
    var unit = unit
    unit.state = .postponed(until: until)
    units[unit.sequence] = unit
    postponed.insert(Postponed(until: until, sequence: unit.sequence))
  }

  /// The batches that have failed for `limit`, oldest first, and when the next one will have. What never was tried for
  /// want of a connection has failed since it came or since there was none, whichever is later.
  func failing(
    for limit: UInt64, unreachableSince: UInt64, now: UInt64
  ) -> (sequences: [UInt64], nextAt: UInt64) {
    var sequences: [UInt64] = []
    var nextAt = UInt64.max
    for unit in units.values {
      let end = (unit.failingSince ?? max(unit.enqueuedAt, unreachableSince)).later(by: limit)
      if end <= now { sequences.append(unit.sequence) } else { nextAt = min(nextAt, end) }
    }
    return (sequences.sorted(), nextAt)
  }

  /// Cuts short every wait that is not the peer's wish.
  mutating func hurry(_ now: UInt64) {
    postponed.removeAll()
    for (_, unit) in units {
      if case .postponed(let until) = unit.state { postpone(unit, until: min(until, max(now, unit.notBefore))) }
    }
  }

  /// Lets go of a batch; nil where it is not held (any more).
  public mutating func settle(_ sequence: UInt64) -> Batch? {
    guard let unit = units.removeValue(forKey: sequence) else { return nil }
    settled.insert(sequence)
    byteCount -= unit.batch.byteCount
    spanCount -= unit.batch.spanCount
    capacity.release(unit.batch.byteCount)
    return unit.batch
  }

  /// Lets go of what a receiver acknowledges, in the order of their numbers; another epoch's acknowledgement is void.
  public mutating func settle(_ acknowledgement: Acknowledgement) -> [(sequence: UInt64, batch: Batch)] {
    guard acknowledgement.epoch == epoch else { return [] }
    return settle(units.keys.filter(acknowledgement.contains))
  }

  /// Lets go of everything, in the order of their numbers.
  mutating func settleAll() -> [(sequence: UInt64, batch: Batch)] { settle(Array(units.keys)) }

  private mutating func settle(_ sequences: [UInt64]) -> [(sequence: UInt64, batch: Batch)] {
    sequences.sorted().compactMap { sequence in settle(sequence).map { (sequence, $0) } }
  }
}
