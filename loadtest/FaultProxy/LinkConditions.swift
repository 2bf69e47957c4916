/// What a link is like: how long bytes travel, how many a second, and what is wrong with it.
public struct LinkConditions: Sendable, Hashable, CustomStringConvertible {
  /// How long everything travels in each direction; a round trip takes twice as long.
  public var delay: Latency
  /// Bytes a second in each direction, for all connections together; `nil` for as many as come.
  public var bytesPerSecond: Int?
  public var fault: Fault

  /// A link without faults, unless told otherwise.
  public init(delay: Latency = .milliseconds(0), bytesPerSecond: Int? = nil, fault: Fault = .none) {
    self.delay = delay
    self.bytesPerSecond = bytesPerSecond
    self.fault = fault
  }

  /// What may be under way in one direction of a connection before the sender is made to wait: what fits on the link,
  /// and a router's queue. Where the link has no end to its bandwidth a cap holds.
  var heldBytesMax: Int {
    guard let bytesPerSecond else { return Self.heldBytesCap }
    let onTheLink = Double(bytesPerSecond) * Double(delay.nanoseconds) / 1e9
    return Int(min(onTheLink + Double(Self.queueBytes), Double(Self.heldBytesCap)))
  }

  static let queueBytes = 256 << 10
  static let heldBytesCap = 64 << 20

  /// One line for people and programs.
  public var description: String {
    "delay=\(delay.nanoseconds / 1000)us bandwidth=\(bytesPerSecond.map { "\($0)" } ?? "none") fault=\(fault)"
  }
}
