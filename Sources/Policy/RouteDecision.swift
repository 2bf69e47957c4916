/// The most generous route a trace was seen on: what is remembered for it.
struct RouteDecision: Hashable, Sendable, BitwiseCopyable {
  var probability: Double
  var source: RegionID
  var target: RegionID

  /// The more generous of two; the earlier one where they are alike.
  func combined(with later: RouteDecision) -> RouteDecision {
    later.probability > probability ? later : self
  }
}

/// How a threshold that a span already carries is joined with the route's (OpenTelemetry's probability sampling).
public enum SamplingMode: String, CaseIterable, Sendable {
  /// The rarer of the two holds.
  case equalizing
  /// The probabilities are multiplied.
  case proportional
}
