internal import Synchronization

/// The account of a batch that several exporters got: its spans leave once and its memory is given back once, when the
/// last exporter is done with it. Exporters may settle it on different threads.
public final class HandedOn: Sendable {
  public let spanCount: Int
  /// The bytes charged for the payload, which the exporters share.
  public let bytes: Int
  private let pendingExporters: Atomic<Int>
  private let undeliverableSpans = Atomic<Int>(0)
  private let expiredSpans = Atomic<Int>(0)

  /// Makes the account of a batch for so many exporters.
  public init(spanCount: Int, bytes: Int, exporters: Int) {
    precondition(spanCount >= 0 && bytes >= 0 && exporters > 0, "a batch is handed to at least one exporter")
    self.spanCount = spanCount
    self.bytes = bytes
    pendingExporters = Atomic(exporters)
  }

  /// The exporters that still hold the batch.
  public var pending: Int { pendingExporters.load(ordering: .acquiring) }

  /// Books that one exporter is done and could not deliver so many spans; the last one gets what is to be booked.
  ///
  /// `forwarded` means handed to *every* exporter. Which spans an exporter rejected is not known, so those of several
  /// are taken to be the same ones: the most any of them lost is undeliverable, or expired where it was time that
  /// took more than refusals did.
  public func settle(undeliverable: Int, expired: Int = 0) -> Departure? {
    undeliverableSpans.max(min(max(0, undeliverable), spanCount), ordering: .relaxed)
    expiredSpans.max(min(max(0, expired), spanCount), ordering: .relaxed)
    let left = pendingExporters.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
    precondition(left >= 0, "an exporter settles a batch once")
    guard left == 0 else { return nil }
    let refused = undeliverableSpans.load(ordering: .relaxed)
    let lost = max(refused, expiredSpans.load(ordering: .relaxed))
    return Departure(forwarded: spanCount - lost, undeliverable: refused, expired: lost - refused, bytes: bytes)
  }
}
