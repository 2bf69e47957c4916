/// Where a span stands: its trace's group, and the pair of regions it names itself.
struct SpanBearing: Sendable, BitwiseCopyable {
  /// Stands for "none".
  static let none = UInt32.max

  /// Index in `TraceGroups`; `none` where no routes are configured.
  var group = SpanBearing.none
  /// Index in `PairTable`; `none` where the span names no route.
  var pair = SpanBearing.none
}
