/// Which exporters take a batch, when one that is down must not hold up the others.
///
/// An exporter whose queue is full misses the newest batch, alone. Where *all* are full, receivers are to refuse new
/// spans (`isFull`), and what was acknowledged before is taken over the caps by all of them. May be used by several
/// threads at once: room is taken here, so each lane enqueues with `.charged`.
public struct ExporterFanOut: Sendable {
  public let exporters: [ExporterCounters]

  /// A batch for the exporters that take it.
  public struct Handing: Sendable {
    /// To be enqueued with `.charged` in a lane of each of `takers`.
    public let batch: Batch
    /// Indices of the exporters that take the batch: at least one.
    public let takers: [Int]
  }

  /// Makes the fan-out over an aggregator's exporters.
  public init(_ exporters: [ExporterCounters]) {
    precondition(!exporters.isEmpty, "a fan-out has an exporter; without any, stitching is the last stage")
    self.exporters = exporters
  }

  /// Whether no exporter has room: receivers answer overload.
  public var isFull: Bool { exporters.allSatisfy(\.capacity.isOverSoftLimit) }

  /// Whether no exporter holds anything.
  public var isEmpty: Bool { exporters.allSatisfy { $0.capacity.used == 0 } }

  /// Takes room for a batch, whose bytes the caller has charged once to the process's budget, and books the spans that
  /// full exporters miss. `chosen` are the indices of those it is for, at least one; nil means all.
  public func hand(_ batch: Batch, among chosen: [Int]? = nil) -> Handing {
    let chosen = chosen ?? Array(exporters.indices)
    var takers = chosen.filter { exporters[$0].capacity.admit(batch.byteCount) }
    if takers.isEmpty {
      for index in chosen { exporters[index].capacity.reserveUnchecked(batch.byteCount) }
      takers = chosen
    }
    var shared = batch
    let account = HandedOn(spanCount: batch.spanCount, bytes: batch.byteCount, exporters: chosen.count)
    shared.handedOn = account
    for index in chosen where !takers.contains(index) {
      exporters[index].dropped(batch.spanCount, .queueFull)
      // Never the last one: a taker still holds the batch.
      _ = account.settle(undeliverable: batch.spanCount)
    }
    return Handing(batch: shared, takers: takers)
  }
}
