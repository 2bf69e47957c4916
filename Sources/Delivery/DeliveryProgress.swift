/// How far a batch got with a destination that answers for every span by itself.
public struct DeliveryProgress: Sendable, Equatable {
  /// Spans that it has taken.
  public var delivered: Int
  /// Spans that it has refused for good.
  public var rejected: Int
  /// The places in the batch, from 0 and rising, of the spans that are to be sent again.
  public var left: [Int]

  /// Makes a progress, over all tries.
  public init(delivered: Int, rejected: Int, left: [Int]) {
    self.delivered = delivered
    self.rejected = rejected
    self.left = left
  }
}
