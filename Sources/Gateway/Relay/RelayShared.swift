internal import Delivery
internal import Logging
internal import Policy
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
  private let logger: Logger
  let draining = DrainFlag()

  init(
    policy: RelayPolicy, memory: TraceMemory, ledger: SpanLedger, budget: ByteBudget, batchLimits: BatchLimits,
    retryAfter: Duration, logger: Logger
  ) {
    self.policy = policy
    self.memory = memory
    self.ledger = ledger
    self.budget = budget
    self.batchLimits = batchLimits
    self.retryAfter = retryAfter
    self.logger = logger
  }

  func report(_ skew: RandomnessSkew) {
    logger.warning(
      "trace IDs are not uniformly random: a sampler before this relay prefers some, so routes keep another share",
      metadata: ["upper_half_share": "\(skew.upperHalfShare)", "traces": "\(skew.traces)"])
  }
}
