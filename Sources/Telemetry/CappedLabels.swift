/// A bounded set of label values: what comes past the cap shares one value, so that a peer that invents names costs one
/// more series and not the memory of two processes (ours and Prometheus').
public struct CappedLabels: Sendable {
  /// What every value past the cap becomes.
  public static let overflow = "__overflow__"
  /// The longest value that is taken as it is, in bytes of UTF-8.
  public static let valueBytesMax = 256

  /// How many values are taken.
  public let cap: Int
  /// How often a value was refused.
  public private(set) var overflowCount = 0
  private var known: Set<String> = []

  /// A set that takes `cap` values, besides `__overflow__`.
  public init(cap: Int) {
    precondition(cap >= 0, "a cap is not negative")
    self.cap = cap
  }

  /// How many values were taken.
  public var count: Int { known.count }

  /// The value to use as the label: `value` itself while there is room for it.
  public mutating func admit(_ value: String) -> String {
    if known.contains(value) { return value }
    if known.count < cap, value.utf8.count <= Self.valueBytesMax {
      known.insert(value)
      return value
    }
    overflowCount &+= 1
    return Self.overflow
  }
}
