internal import Delivery
internal import Logging
internal import Policy
internal import Synchronization
internal import Telemetry

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
  private let origin = BatchIdentity.Origin(high: .random(in: .min ... .max), low: .random(in: .min ... .max), epoch: 0)
  private let sequence = Atomic<UInt64>(0)
  let logger: Logger
  let draining = DrainFlag()

  init(
    policy: RelayPolicy, memory: TraceMemory, ledger: SpanLedger, budget: ByteBudget, batchLimits: BatchLimits,
    retryAfter: Duration, store: StoredQueue?, logger: Logger
  ) {
    self.policy = policy
    self.memory = memory
    self.ledger = ledger
    self.budget = budget
    self.batchLimits = batchLimits
    self.retryAfter = retryAfter
    self.store = store
    self.logger = logger
  }

  /// The name of the next batch of a queue in memory, which no later life of the relay knows.
  func nextIdentity() -> BatchIdentity {
    BatchIdentity(origin: origin, sequence: sequence.wrappingAdd(1, ordering: .relaxed).oldValue)
  }

  /// How batches are made where clients may wait for the disk.
  func batching(_ limits: BatchLimits) -> BatchLimits { store == nil ? limits : limits.whereClientsWait }

  func report(_ skew: RandomnessSkew) {
    logger.warning(
      "trace IDs are not uniformly random: a sampler before this relay prefers some, so routes keep another share",
      metadata: ["upper_half_share": "\(skew.upperHalfShare)", "traces": "\(skew.traces)"])
  }
}
