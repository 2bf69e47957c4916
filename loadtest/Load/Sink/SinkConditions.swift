public import struct FaultProxy.Latency

/// How a sink behaves.
public struct SinkConditions: Sendable, Equatable, CustomStringConvertible {
  /// How long every answer waits.
  public var delay: Latency
  /// The share of requests (0 to 1) that are answered UNAVAILABLE, or 503.
  public var refused: Double

  /// Makes conditions; by default everything is accepted at once.
  public init(delay: Latency = Latency(nanoseconds: 0), refused: Double = 0) {
    self.delay = delay
    self.refused = refused
  }

  public var description: String { "delay=\(delay.nanoseconds / 1000)us refuse=\(refused)" }
}

/// A line by which a running sink is told what to do.
public enum SinkCommand: Sendable, Equatable {
  case delay(Latency)
  case refuse(Double)
  /// Close the port and every connection.
  case vanish
  /// Listen again, on the same port.
  case comeBack
  case status

  /// Reads `delay 50ms`, `refuse 0.5`, `vanish`, `return` or `status`.
  public init?(_ line: String) {
    let words = line.split { $0.isWhitespace }.map(String.init)
    switch (words.first, words.count) {
    case ("vanish", 1): self = .vanish
    case ("return", 1): self = .comeBack
    case ("status", 1): self = .status
    case ("delay", 2):
      guard let delay = Latency(words[1]) else { return nil }
      self = .delay(delay)
    case ("refuse", 2):
      guard let share = Double(words[1]), (0...1).contains(share) else { return nil }
      self = .refuse(share)
    default: return nil
    }
  }
}
