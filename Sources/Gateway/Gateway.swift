// Gateway: the two roles, wired from the parts, and what a process needs around them.
//
// Owns: configuration and its validation, `RelayRole` and `AggregatorRole`, the lanes that drive Policy, Stitching and
// Delivery on each event loop, the admin endpoint, start-up, shutdown and the demo.
// Never: a wire format, a decision on a span. What a role does is read top to bottom in its one file.

/// How a run ended, as the process's exit code.
public enum LongspanExitCode: Int32, Sendable {
  case done = 0
  case failed = 1
  case usage = 64
  /// It cannot bind or open what it needs.
  case unavailable = 69
  case configuration = 78
}

/// Which of the two jobs a process does.
public enum Role: String, Sendable, CaseIterable {
  case relay
  case aggregator
}

/// This release.
public enum LongspanVersion {
  /// As `--version` says it.
  public static let text = "0.1.0"
}

/// What the command line runs.
public enum Gateway {}
