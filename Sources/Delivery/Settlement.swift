public import Telemetry

/// The end of one batch in one lane. Every batch that was enqueued gets exactly one.
public struct Settlement: Sendable {
  /// Why a batch settled.
  public enum Cause: Sendable, Equatable {
    /// The peer took it, all but the spans it rejected.
    case delivered(rejected: Int)
    /// The peer refused it for good, with this gRPC code.
    case refused(code: Int)
    /// It failed for longer than `max_elapsed_time`: its spans are booked as expired.
    case gaveUp
    /// The lane was shut down before it could be delivered.
    case abandoned
  }

  /// The batch's number in its lane.
  public let sequence: UInt64
  /// What it was.
  public let batch: Batch
  public let cause: Cause

  /// Makes a settlement; a peer's count of rejected spans is held to what the batch has.
  public init(sequence: UInt64, batch: Batch, cause: Cause) {
    self.sequence = sequence
    self.batch = batch
    if case .delivered(let rejected) = cause {
      self.cause = .delivered(rejected: min(max(0, rejected), batch.spanCount))
    } else {
      self.cause = cause
    }
  }

  /// The spans this lane could not deliver.
  public var undeliverable: Int {
    if case .delivered(let rejected) = cause { return rejected }
    return batch.spanCount - min(max(0, batch.progress?.delivered ?? 0), batch.spanCount)
  }
  /// Those of them that the peer refused one by one, before the batch ended for another reason.
  public var rejectedBefore: Int {
    if case .delivered = cause { return 0 }
    return min(max(0, batch.progress?.rejected ?? 0), undeliverable)
  }
  /// The spans this lane delivered.
  public var forwarded: Int { batch.spanCount - undeliverable }

  /// What leaves the process with this settlement: nil while another exporter still holds the batch. To be asked once.
  public func depart() -> Departure? {
    let expired = cause == .gaveUp ? undeliverable - rejectedBefore : 0
    if let shared = batch.handedOn { return shared.settle(undeliverable: undeliverable - expired, expired: expired) }
    return Departure(
      forwarded: forwarded, undeliverable: undeliverable - expired, expired: expired, bytes: batch.byteCount)
  }

  /// Books what leaves, out of the stage `queue`, and gives its memory back. To be called once.
  public func book(in ledger: SpanLedger, releasing budget: ByteBudget) {
    depart()?.book(in: ledger, releasing: budget)
  }
}

/// Spans that leave, and the memory they give back.
public struct Departure: Sendable, Equatable {
  public var forwarded: Int
  public var undeliverable: Int
  public var expired: Int
  public var bytes: Int

  /// Makes a departure.
  public init(forwarded: Int, undeliverable: Int, expired: Int = 0, bytes: Int) {
    self.forwarded = forwarded
    self.undeliverable = undeliverable
    self.expired = expired
    self.bytes = bytes
  }

  /// Books the spans out of the stage `queue` and gives their memory back.
  public func book(in ledger: SpanLedger, releasing budget: ByteBudget) {
    if forwarded > 0 { ledger.left(forwarded, as: .forwarded) }
    if undeliverable > 0 { ledger.left(undeliverable, as: .undeliverable) }
    if expired > 0 { ledger.left(expired, as: .expired) }
    ledger.held(-(forwarded + undeliverable + expired), in: .queue)
    budget.release(bytes)
  }
}
