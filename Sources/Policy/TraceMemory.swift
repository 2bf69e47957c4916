internal import Synchronization
internal import TraceWire

/// The routes that traces were seen on, shared by all loops: a trace's spans come in over many connections, and those
/// that name no peer follow the ones that do. Bounded in number and in time; when it is full the trace that was used
/// longest ago is forgotten. Outlives changes of configuration.
public final class TraceMemory: Sendable {
  /// The names behind the region numbers that are remembered.
  public let regions: RegionDirectory
  /// The most traces that are remembered.
  public let tracesMax: Int

  private let hash: KeyedHash
  private let stripes: [Stripe]

  private final class Stripe: Sendable {
    let traces: Mutex<RecentTraces>
    init(_ traces: RecentTraces) { self.traces = Mutex(traces) }
  }

  /// An empty memory. A trace is forgotten `ttl` after its last use. `seed` is the secret of its hash; `stripes` is the
  /// number of locks, a power of two (by default 64, fewer where there is little to divide).
  public init(
    ttl: Duration = .seconds(60), tracesMax: Int = 200_000, regions: RegionDirectory = RegionDirectory(),
    stripes: Int? = nil, seed: UInt64 = .random(in: .min ... .max)
  ) {
    let count = stripes ?? (tracesMax >= 8192 ? 64 : 1)
    precondition(count > 0 && count & (count - 1) == 0, "the number of stripes is a power of two")
    let (seconds, attoseconds) = ttl.components
    let nanoseconds = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let lifetime =
      nanoseconds.overflow ? UInt64.max / 2 : nanoseconds.partialValue &+ UInt64(clamping: attoseconds / 1_000_000_000)
    self.regions = regions
    self.tracesMax = max(1, tracesMax)
    let hash = KeyedHash(seed: seed)
    self.hash = hash
    let share = max(1, self.tracesMax / count)
    self.stripes = (0..<count).map { _ in Stripe(RecentTraces(capacity: share, lifetime: lifetime, hash: hash)) }
  }

  /// Joins what a request says of a trace with what is remembered of it, remembers the more generous of both and returns
  /// it. Without anything to join it only looks up. Either is a use of the trace.
  func combine(_ id: TraceID, with seen: RouteDecision?, now: UInt64) -> RouteDecision? {
    let key = hash(id)
    let stripe = Int(truncatingIfNeeded: key >> 48) & (stripes.count &- 1)
    return stripes[stripe].traces.withLock { $0.combine(id, key: key, with: seen, now: now) }
  }

  /// Traces held now, those past their time but not yet replaced included.
  public var count: Int { stripes.reduce(0) { $0 + $1.traces.withLock { $0.count } } }

  /// Traces that were forgotten before their time because the memory was full.
  public var evictions: Int { stripes.reduce(0) { $0 + $1.traces.withLock { $0.evictions } } }
}
