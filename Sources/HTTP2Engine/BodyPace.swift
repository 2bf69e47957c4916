/// How a request's body comes along. It is looked at in regular intervals, so that no clock is read when bytes come:
/// between two looks some of it has to come, and all of it within so many.
public struct BodyPace: Sendable {
  /// What is asked of whoever sends a body.
  public struct Rule: Sendable, Equatable {
    /// Bytes between two looks. What is left of a body may be less, but then it is to be whole by the next.
    public var bytesPerLook: Int
    /// Looks after which a body is to be whole.
    public var looksMax: Int

    /// Makes a rule.
    public init(bytesPerLook: Int, looksMax: Int) {
      self.bytesPerLook = bytesPerLook
      self.looksMax = looksMax
    }
  }

  private var bytes = 0
  private var looks = 0

  /// A body of which nothing has come.
  public init() {}

  /// Some of it came.
  public mutating func received(_ byteCount: Int) { bytes &+= byteCount }

  /// A look at a body that is not whole. True: it comes too slowly. The first look says nothing yet: the body may have
  /// begun right before it.
  public mutating func isTooSlow(_ rule: Rule) -> Bool {
    defer {
      looks &+= 1
      bytes = 0
    }
    return looks > 0 && (bytes < rule.bytesPerLook || looks >= rule.looksMax)
  }
}
