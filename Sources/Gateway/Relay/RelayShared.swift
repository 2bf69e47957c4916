internal import Delivery
internal import Logging
internal import Policy
internal import Synchronization
internal import Telemetry
internal import Tenancy

/// What the event loops of one relay share.
final class RelayShared: Sendable {
  /// The policy that loops start with.
  let policy: RelayPolicy
  let memory: TraceMemory
  let ledger: SpanLedger
  let budget: ByteBudget
  let batchLimits: BatchLimits
  let retryAfter: Duration
  /// The sending queue on disk; nil where it is in memory.
  let store: StoredQueue?
  /// Whose spans come in; nil where nobody asks.
  let tenants: Tenants?
  private let origin = BatchIdentity.Origin(high: .random(in: .min ... .max), low: .random(in: .min ... .max), epoch: 0)
  private let sequence = Atomic<UInt64>(0)
  /// Large requests that are copied now.
  private let copies = Atomic<Int>(0)
  let logger: Logger
  let draining = DrainFlag()

  init(
    policy: RelayPolicy, memory: TraceMemory, ledger: SpanLedger, budget: ByteBudget, batchLimits: BatchLimits,
    retryAfter: Duration, store: StoredQueue?, tenants: Tenants? = nil, logger: Logger
  ) {
    self.policy = policy
    self.memory = memory
    self.ledger = ledger
    self.budget = budget
    self.batchLimits = batchLimits
    self.retryAfter = retryAfter
    self.store = store
    self.tenants = tenants
    self.logger = logger
  }

  /// The name of the next batch of a queue in memory, which no later life of the relay knows.
  func nextIdentity() -> BatchIdentity {
    BatchIdentity(origin: origin, sequence: sequence.wrappingAdd(1, ordering: .relaxed).oldValue)
  }

  /// Charges for a second copy of a large request. One is always let through, or a request of more than half of the
  /// memory would be turned away for ever.
  func beginCopy(_ bytes: Int) -> Bool {
    if copies.add(1, ordering: .relaxed).oldValue == 0 {
      budget.reserveUnchecked(bytes)
      return true
    }
    if budget.reserve(bytes) { return true }
    copies.subtract(1, ordering: .relaxed)
    return false
  }

  /// Gives back what `beginCopy` has charged.
  func endCopy(_ bytes: Int) {
    budget.release(bytes)
    copies.subtract(1, ordering: .relaxed)
  }

  /// How batches are made where clients may wait for the disk.
  func batching(_ limits: BatchLimits) -> BatchLimits { store == nil ? limits : limits.whereClientsWait }

  func report(_ skew: RandomnessSkew) {
    logger.warning(
      "trace IDs are not uniformly random: a sampler before this relay prefers some, so routes keep another share",
      metadata: ["upper_half_share": "\(skew.upperHalfShare)", "traces": "\(skew.traces)"])
  }
}
