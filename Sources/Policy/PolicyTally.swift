/// What became of one request's spans, for the span ledger.
public struct PolicyTally: Hashable, Sendable {
  /// Spans that are forwarded.
  public var kept = 0
  /// Spans that sampling dropped.
  public var sampledOut = 0
  /// Spans with an invalid trace or span ID: `partial_success.rejected_spans`.
  public var rejected = 0
  /// Baggage entries that were dropped of the kept spans.
  public var baggage = BaggageCounts()
  /// Set once when the randomness of the traces that begin here turns out not to be uniform.
  public var skewWarning: RandomnessSkew?

  /// Nothing.
  public init() {}
}
