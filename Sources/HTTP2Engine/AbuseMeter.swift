/// Counts what a peer does that costs us work and brings it nothing, and that nghttp2 does not notice. A bucket of
/// tokens: abuse takes some, time and useful work bring some back. When it is empty the connection ends.
public struct AbuseMeter: Sendable {
  /// How much is borne.
  public struct Budget: Sendable, Equatable {
    /// Tokens at the start, and at most.
    public var tokens: Int
    /// Tokens that a second brings back.
    public var perSecond: Int

    /// A budget that no well-behaved client comes near: one token is one idle frame.
    public init(tokens: Int = 2000, perSecond: Int = 200) {
      self.tokens = tokens
      self.perSecond = perSecond
    }
  }

  private let budget: Budget
  private var tokens: Int
  private var refilledAt: UInt64?

  init(_ budget: Budget) {
    self.budget = budget
    tokens = budget.tokens
  }

  /// Time goes on: `now` is monotonic, in nanoseconds.
  mutating func refill(now: UInt64) {
    guard let before = refilledAt, now > before else {
      refilledAt = refilledAt ?? now
      return
    }
    let earned = (now &- before) / (1_000_000_000 / UInt64(max(1, budget.perSecond)))
    guard earned > 0 else { return }
    earn(Int(clamping: earned))
    refilledAt = now
  }

  /// Useful work was done.
  mutating func earn(_ count: Int) { tokens = min(budget.tokens, tokens + min(count, budget.tokens)) }

  /// Something idle was done. False: the peer has had its fill.
  mutating func spend(_ count: Int) -> Bool {
    tokens -= count
    return tokens >= 0
  }
}
