/// A line by which a running proxy is told what its link is to be like.
public enum LinkCommand: Sendable, Hashable {
  case delay(Latency)
  /// Bytes a second, `nil` for no limit.
  case bandwidth(Int?)
  case fault(Fault)
  case status

  /// Reads `delay 50ms`, `bandwidth 1MiB`, `bandwidth none`, `fault blackhole`, `heal` (no fault) or `status`.
  public init?(_ line: String) {
    let words = line.split { $0.isWhitespace }.map(String.init)
    switch (words.first, words.count) {
    case ("status", 1): self = .status
    case ("heal", 1): self = .fault(.none)
    case ("delay", 2):
      guard let delay = Latency(words[1]) else { return nil }
      self = .delay(delay)
    case ("bandwidth", 2):
      let rate = ByteCount(words[1])
      guard rate != nil || words[1] == "none" else { return nil }
      self = .bandwidth(rate?.bytes)
    case ("fault", 2):
      guard let fault = Fault(words[1]) else { return nil }
      self = .fault(fault)
    default: return nil
    }
  }

  /// Changes what it is about.
  public func apply(to conditions: inout LinkConditions) {
    switch self {
    case .delay(let delay): conditions.delay = delay
    case .bandwidth(let rate): conditions.bytesPerSecond = rate
    case .fault(let fault): conditions.fault = fault
    case .status: break
    }
  }
}

extension FaultProxy {
  /// Does what a line says; the answer, one line.
  public func obey(_ line: String) async throws -> String {
    guard let command = LinkCommand(line) else {
      return "error: delay TIME | bandwidth BYTES|none | fault FAULT | heal | status"
    }
    if command != .status {
      var conditions = try await conditions
      command.apply(to: &conditions)
      try await set(conditions)
    }
    return "ok \(try await conditions) \(try await counts)"
  }
}
