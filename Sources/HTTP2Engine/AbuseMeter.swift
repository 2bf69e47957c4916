/// Counts what a peer does that costs us work and brings it nothing, and that nghttp2 lets it do for ever. A bucket of
/// tokens: abuse takes some, time and useful work bring some back. When it is empty the connection ends.
public struct AbuseMeter: Sendable {
  /// How much is borne.
  public struct Budget: Sendable, Equatable {
    /// Tokens at the start, and at most; one is an idle frame. A client may cancel a quarter as many requests at once.
    public var tokens: Int
    /// Tokens that a second brings back.
    public var perSecond: Int
    /// Tokens that an answered request brings back: its own HEADERS, and what gRPC libraries send with it.
    public var perRequest: Int
    /// Bytes of DATA, either way, that bring a token back: WINDOW_UPDATE and bandwidth probes (PING) grow with them.
    public var bytesPerToken: Int

    /// A budget that no well-behaved peer comes near.
    public init(tokens: Int = 2000, perSecond: Int = 200, perRequest: Int = 5, bytesPerToken: Int = 4096) {
      self.tokens = tokens
      self.perSecond = perSecond
      self.perRequest = perRequest
      self.bytesPerToken = bytesPerToken
    }
  }

  /// In nanotokens: tokens a second times nanoseconds need no division and lose nothing.
  private var level: UInt64
  private var last: UInt64?
  private let capacity: UInt64
  private let perSecond: UInt64
  private let perRequest: UInt64
  private let perByte: UInt64
  /// What most of the tokens went for since the bucket was last full (a majority vote: what a flood consists of, not
  /// the frame that happened to come last), and by how many they outweigh the rest.
  private(set) var suspect: HTTP2Fault.Kind?
  private var weight = 0

  private static let token: UInt64 = 1_000_000_000
  /// Keeps a full bucket and every price far below 2^63.
  private static let tokensMax = 1_000_000

  init(_ budget: Budget) {
    func clamped(_ tokens: Int) -> UInt64 { UInt64(min(max(tokens, 0), Self.tokensMax)) }
    capacity = clamped(budget.tokens) * Self.token
    perSecond = clamped(budget.perSecond)
    perRequest = clamped(budget.perRequest) * Self.token
    perByte = Self.token / UInt64(max(budget.bytesPerToken, 1))
    level = capacity
  }

  /// Whole tokens left.
  var tokens: Int { Int(level / Self.token) }

  /// Time goes on: `now` is monotonic, in nanoseconds. A clock that goes back brings nothing.
  mutating func advance(to now: UInt64) {
    defer { last = now }
    guard let last, now > last else { return }
    let (earned, overflow) = (now - last).multipliedReportingOverflow(by: perSecond)
    earn(overflow ? capacity : earned)
  }

  /// DATA of a request or a response came or went.
  mutating func earn(dataBytes count: Int) {
    earn(UInt64(min(max(count, 0), 1 << 30)) * perByte)
  }

  /// A request was answered.
  mutating func earnRequest() { earn(perRequest) }

  /// Takes the cost of one occurrence. False: the budget is spent.
  mutating func charge(_ kind: HTTP2Fault.Kind) -> Bool {
    suspicion(kind)
    let cost = UInt64(kind.cost) * Self.token
    guard level >= cost else { return false }
    level -= cost
    return true
  }

  private mutating func earn(_ amount: UInt64) {
    guard amount < capacity - level else {
      level = capacity
      weight = 0
      return
    }
    level += amount
  }

  private mutating func suspicion(_ kind: HTTP2Fault.Kind) {
    if kind == suspect {
      weight &+= kind.cost
    } else if kind.cost <= weight {
      weight -= kind.cost
    } else {
      suspect = kind
      weight = kind.cost &- weight
    }
  }
}
