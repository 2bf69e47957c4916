/// The limits on the baggage of every span that is forwarded, and what counts as baggage.
public struct BaggageLimits: Hashable, Sendable {
  /// The most entries a span keeps: first come, first kept, in the order of the bytes.
  public var maxCount: Int
  /// The most bytes of an entry's name (without prefix) and value together.
  public var maxLength: Int
  /// Attributes with this prefix are entries. An empty prefix is none.
  public var prefix: String?
  /// Attributes with exactly these keys are entries.
  public var keys: [String]
  /// Attributes with exactly these keys are whole W3C baggage headers: each member is an entry.
  public var headerAttributes: [String]
  /// If not empty, only entries with these names pass.
  public var allow: [String]
  /// Entries with these names do not pass.
  public var deny: [String]

  /// Limits, by default the contract's.
  public init(
    maxCount: Int = 10, maxLength: Int = 1024, prefix: String? = "baggage.", keys: [String] = [],
    headerAttributes: [String] = ["http.request.header.baggage"], allow: [String] = [], deny: [String] = []
  ) {
    self.maxCount = maxCount
    self.maxLength = maxLength
    self.prefix = prefix
    self.keys = keys
    self.headerAttributes = headerAttributes
    self.allow = allow
    self.deny = deny
  }
}

/// Why a baggage entry was dropped.
public enum BaggageReason: String, CaseIterable, Sendable {
  case count
  case length
  case denied
}

/// Dropped baggage entries by reason.
public struct BaggageCounts: Hashable, Sendable {
  /// Past `maxCount`.
  public var count = 0
  /// Longer than `maxLength`.
  public var length = 0
  /// Not allowed, or denied.
  public var denied = 0

  /// None.
  public init() {}

  /// All of them.
  public var total: Int { count + length + denied }

  /// The entries dropped for a reason.
  public subscript(reason: BaggageReason) -> Int {
    get {
      switch reason {
      case .count: count
      case .length: length
      case .denied: denied
      }
    }
    set {
      switch reason {
      case .count: count = newValue
      case .length: length = newValue
      case .denied: denied = newValue
      }
    }
  }

  static func += (left: inout BaggageCounts, right: BaggageCounts) {
    left.count &+= right.count
    left.length &+= right.length
    left.denied &+= right.denied
  }
}
