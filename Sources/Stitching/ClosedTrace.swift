public import TraceWire

/// What is known of a trace that has closed and is gone from the shard.
public struct ClosedTrace: Sendable {
  /// Its ID as the facts of its spans had it.
  public let traceID: TraceID
  /// Whose it is, as a number; 0 for nobody's.
  public let tenant: UInt16
  public let spanCount: Int
  /// Whether it has exactly one root and no entry whose parent never came.
  public let isComplete: Bool
  /// Whether spans of two regions are in it.
  public let isCrossRegion: Bool
  /// What the shard held for it and holds no longer.
  public let heldBytes: Int
}

/// Why a trace was closed before its time.
enum EarlyClosing: Int, CaseIterable {
  case maxLiveTraces
  case memory
  case shutdown

  var label: String {
    switch self {
    case .maxLiveTraces: "max_live_traces"
    case .memory: "memory"
    case .shutdown: "shutdown"
    }
  }
}
