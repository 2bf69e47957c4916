/// The account of every span: received, held and left. Atomic plain counters, added to once a request or a batch.
/// At rest: `sum(received) = sum(outcomes) + sum(held)`.
public final class SpanLedger: Sendable {
  private let receivedCounts = Counters<ReceiverKind>()
  private let outcomeCounts = Counters<Outcome>()
  private let heldCounts = Counters<HeldStage>()
  private let refusedCounts = Counters<RefusalReason>()

  public init() {}

  /// Books spans of a readable request.
  public func received(_ count: Int, by receiver: ReceiverKind) { receivedCounts.add(count, to: receiver) }
  /// Books spans that left.
  public func left(_ count: Int, as outcome: Outcome) { outcomeCounts.add(count, to: outcome) }
  /// Books spans that began (or, negative, ceased) to be held.
  public func held(_ change: Int, in stage: HeldStage) { heldCounts.add(change, to: stage) }
  /// Books spans that went from one stage to the next.
  public func moved(_ count: Int, from: HeldStage, to: HeldStage) {
    heldCounts.add(-count, to: from)
    heldCounts.add(count, to: to)
  }
  /// Books a refused request.
  public func refusedRequest(_ reason: RefusalReason) { refusedCounts.add(1, to: reason) }

  /// Spans received so far.
  public func received(_ receiver: ReceiverKind) -> Int { receivedCounts[receiver] }
  /// Spans that left so far.
  public func left(_ outcome: Outcome) -> Int { outcomeCounts[outcome] }
  /// Spans held now.
  public func held(_ stage: HeldStage) -> Int { heldCounts[stage] }
  /// Requests refused so far.
  public func refusedRequests(_ reason: RefusalReason) -> Int { refusedCounts[reason] }
}
