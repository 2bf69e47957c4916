internal import Delivery
internal import Policy
internal import Stitching
internal import Telemetry
internal import Tenancy
internal import TraceWire

/// What the event loops of one aggregator share.
final class AggregatorShared: Sendable {
  let shardMap: ShardMap
  let ledger: SpanLedger
  /// The processors that loops start with.
  let processors: ProcessorRules
  let budget: ByteBudget
  /// The exporters' common account; `nil` where there is none and stitching is the last stage.
  let fanOut: ExporterFanOut?
  let batchLimits: BatchLimits
  let retryAfter: Duration
  /// No attribute is baggage here: limits were the relays' business.
  let attributeKeys = AttributeKeys(prefix: nil, keys: [], headerAttributes: [])
  let draining = DrainFlag()
  /// The journal on disk; nil where nothing outlives the process.
  let journal: AggregatorJournal?
  /// Whose spans there are. Those of an earlier life are known whatever the configuration says now.
  let tenants: Tenants
  /// The batches that relays sent, to tell those that come again.
  let known = KnownBatches()

  init(
    shardMap: ShardMap, ledger: SpanLedger, processors: ProcessorRules = ProcessorRules(), budget: ByteBudget,
    fanOut: ExporterFanOut?, batchLimits: BatchLimits, retryAfter: Duration, journal: AggregatorJournal?,
    tenants: Tenants
  ) {
    self.shardMap = shardMap
    self.ledger = ledger
    self.processors = processors
    self.budget = budget
    self.fanOut = fanOut
    self.batchLimits = batchLimits
    self.retryAfter = retryAfter
    self.journal = journal
    self.tenants = tenants
  }

  /// Whether a new request has a chance: there is memory, room in the journal, and at least one exporter has room.
  var hasRoom: Bool {
    !draining.isSet && !budget.isOverSoftLimit && !(fanOut?.isFull ?? false) && !(journal?.isFull ?? false)
  }

  /// Whether traces may close now that their time has come. A closed trace takes several times the room of one that
  /// waits: while no exporter has room, or the queues hold what the process has no memory for, it goes on waiting.
  var mayClose: Bool {
    guard let fanOut else { return true }
    return !fanOut.isFull && (!budget.isSpikeHalfUsed || fanOut.isEmpty)
  }
}

/// The charge for a request's buffer while shards still read it: given back when the last one is done.
final class RequestCharge: Sendable {
  private let budget: ByteBudget
  private let byteCount: Int

  /// Charges, unless there is no room.
  init?(_ byteCount: Int, to budget: ByteBudget) {
    guard budget.reserve(byteCount) else { return nil }
    self.budget = budget
    self.byteCount = byteCount
  }

  deinit { budget.release(byteCount) }
}
