/// When a trace closes: a pure function of its times. Idleness and age today.
struct ClosePolicy: Sendable {
  let idleTimeout: UInt64
  let maxTraceAge: UInt64

  init(_ limits: StitchingLimits) {
    idleTimeout = limits.idleTimeout.clampedNanoseconds
    maxTraceAge = limits.maxTraceAge.clampedNanoseconds
  }

  /// When a trace closes that gets no further span.
  @inline(__always) func deadline(firstSeen: UInt64, lastSeen: UInt64) -> UInt64 {
    min(lastSeen.saturatingAdd(idleTimeout), firstSeen.saturatingAdd(maxTraceAge))
  }
}
