internal import Synchronization
public import Telemetry

/// A number of bytes that may be held at once, counted over all threads: the process's memory limiter, or the size of
/// one exporter's queue.
///
/// New work is refused above the soft limit; the spike between soft limit and limit is room for what was already taken
/// on (decompression, copies into batches), which is charged unchecked because refusing it would lose it.
public final class ByteBudget: Sendable {
  private let limitBytes: Atomic<Int>
  private let softLimitBytes: Atomic<Int>
  private let usedBytes = Atomic<Int>(0)
  private let peakBytes = Atomic<Int>(0)
  private let refusedCount = Atomic<Int>(0)
  private let residentBytes = Atomic<Int>(0)
  private let unchargedBytes = Atomic<Int>(0)
  /// What was uncharged when it was looked at for the first time.
  private let unchargedBytesMin = Atomic<Int>(0)

  /// Below this limit what nobody charges is left out: the process alone would leave no room.
  public static let watchedLimitMin = 64 << 20
  /// So much may be free and not given back in any process.
  private static let freeBytesMin = 32 << 20

  /// Makes an empty budget of `limit` bytes whose soft limit lies `spike` bytes lower.
  public init(limit: Int, spike: Int = 0) {
    precondition(limit >= 0 && spike >= 0, "a byte budget has no negative sizes")
    limitBytes = Atomic(limit)
    softLimitBytes = Atomic(max(0, limit - spike))
  }

  /// The bytes that should never be exceeded.
  public var limit: Int { limitBytes.load(ordering: .relaxed) }
  /// The bytes above which nothing new is taken on.
  public var softLimit: Int { softLimitBytes.load(ordering: .relaxed) }
  /// The bytes held now.
  public var used: Int { usedBytes.load(ordering: .relaxed) }
  /// The most bytes that were ever held.
  public var peak: Int { peakBytes.load(ordering: .relaxed) }
  /// How often something was refused.
  public var refusals: Int { refusedCount.load(ordering: .relaxed) }
  /// Whether nothing new should be taken on.
  public var isOverSoftLimit: Bool { used >= softLimit &- uncharged }
  /// Whether even what was taken on has no room to grow: half of the spike is used, and the rest is for what is copied
  /// on its way out.
  public var isSpikeHalfUsed: Bool { used >= softLimit &+ (limit &- softLimit) / 2 &- uncharged }
  /// Bytes that the process occupies and nobody charged, as they were when it was looked at last. They are not free, so
  /// they are taken off the soft limit, three quarters of it at most: some room is always left to work with.
  public var uncharged: Int { unchargedBytes.load(ordering: .relaxed) }
  /// Whether so much is uncharged that it is worth some time to make it less: it takes room that something needs.
  public var isUnchargedLarge: Bool { uncharged > limit / 8 && used &+ uncharged > softLimit / 2 }

  /// Whether much more is uncharged than at first: free memory, most of it, that nothing needs at the moment.
  public var isMuchFree: Bool {
    uncharged &- unchargedBytesMin.load(ordering: .relaxed) > max(limit / 64, Self.freeBytesMin)
  }

  /// Notes what the process occupies; for the first time before there is work. What is charged and not used yet would
  /// hide some of what is not charged: that it never is less than at first is known.
  public func note(residentBytes resident: Int) {
    residentBytes.store(resident, ordering: .relaxed)
    let seen = max(0, resident &- used)
    _ = unchargedBytesMin.compareExchange(expected: 0, desired: seen, ordering: .relaxed)
    let most = limit >= Self.watchedLimitMin ? softLimit / 4 &* 3 : 0
    unchargedBytes.store(min(max(seen, unchargedBytesMin.load(ordering: .relaxed)), most), ordering: .relaxed)
  }

  /// Changes the limits (a reload); what is held stays held.
  public func resize(limit: Int, spike: Int = 0) {
    precondition(limit >= 0 && spike >= 0, "a byte budget has no negative sizes")
    limitBytes.store(limit, ordering: .relaxed)
    softLimitBytes.store(max(0, limit - spike), ordering: .relaxed)
  }

  /// Charges bytes of new work, unless that would lead above the soft limit.
  public func reserve(_ bytes: Int) -> Bool {
    precondition(bytes >= 0, "a reservation is not negative")
    let bound = softLimit &- uncharged
    var current = used
    while true {
      guard current <= bound, bytes <= bound &- current else {
        refusedCount.wrappingAdd(1, ordering: .relaxed)
        return false
      }
      let next = current &+ bytes
      let (exchanged, original) = usedBytes.weakCompareExchange(
        expected: current, desired: next, ordering: .acquiringAndReleasing)
      if exchanged {
        peakBytes.max(next, ordering: .relaxed)
        return true
      }
      current = original
    }
  }

  /// Charges bytes of new work also where they alone are more than the limit, if nothing else is held: what is larger
  /// than the budget would otherwise wait for ever.
  public func admit(_ bytes: Int) -> Bool {
    if bytes > softLimit {
      let (exchanged, _) = usedBytes.compareExchange(expected: 0, desired: bytes, ordering: .acquiringAndReleasing)
      if exchanged {
        peakBytes.max(bytes, ordering: .relaxed)
        return true
      }
    }
    return reserve(bytes)
  }

  /// Charges bytes that are held whatever the limit says.
  public func reserveUnchecked(_ bytes: Int) {
    precondition(bytes >= 0, "a reservation is not negative")
    var current = used
    while true {
      let (sum, overflow) = current.addingReportingOverflow(bytes)
      let next = overflow ? Int.max : sum
      let (exchanged, original) = usedBytes.weakCompareExchange(
        expected: current, desired: next, ordering: .acquiringAndReleasing)
      if exchanged {
        peakBytes.max(next, ordering: .relaxed)
        return
      }
      current = original
    }
  }

  /// Gives back bytes that were charged.
  public func release(_ bytes: Int) {
    precondition(bytes >= 0, "a release is not negative")
    let left = usedBytes.wrappingSubtract(bytes, ordering: .acquiringAndReleasing).newValue
    assert(left >= 0, "more was given back than was charged")
  }

  /// Charges what is held now in place of what was held before, whatever the limit says.
  public func recharge(from before: Int, to now: Int) {
    if now > before { reserveUnchecked(now - before) } else { release(before - now) }
  }

  /// The process budget as metrics.
  public func metricFamilies() -> [MetricFamily] {
    [
      MetricFamily(
        "longspan_memory_used_bytes", .gauge, help: "Bytes held and charged to the memory limiter.",
        samples: [MetricSample([], Double(used))]),
      MetricFamily(
        "longspan_memory_peak_bytes", .gauge, help: "Most bytes ever charged to the memory limiter.",
        samples: [MetricSample([], Double(peak))]),
      MetricFamily(
        "longspan_memory_resident_bytes", .gauge, help: "Resident size of the process, as seen last.",
        samples: [MetricSample([], Double(residentBytes.load(ordering: .relaxed)))]),
      MetricFamily(
        "longspan_memory_uncharged_bytes", .gauge,
        help: "Resident bytes that are not charged and are taken off the soft limit.",
        samples: [MetricSample([], Double(uncharged))]),
      MetricFamily(
        "longspan_memory_soft_limit_bytes", .gauge, help: "Bytes above which receivers answer overload.",
        samples: [MetricSample([], Double(softLimit))]),
      MetricFamily(
        "longspan_memory_limit_bytes", .gauge, help: "Bytes the memory limiter allows.",
        samples: [MetricSample([], Double(limit))]),
      MetricFamily(
        "longspan_memory_refusals_total", .counter, help: "Reservations refused above the soft limit.",
        samples: [MetricSample([], Double(refusals))]),
    ]
  }
}
