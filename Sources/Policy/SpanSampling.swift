internal import TraceWire

/// What becomes of one span's existence and of its `th`.
enum SamplingVerdict: Equatable {
  case drop
  /// Kept, and the tracestate stays as it came.
  case keep
  /// Kept, with this threshold in its tracestate; nil erases the one there.
  case stamp(Threshold?)
}

/// A probability, ready for the decision.
struct SpanSampling: Sendable {
  let probability: Double
  let threshold: Threshold

  init(probability: Double) {
    self.probability = probability
    threshold = Threshold(probability: probability)
  }

  /// Decides a span: kept iff its randomness is at or above the larger of the route's threshold and its own. A threshold
  /// of its own that the randomness contradicts says nothing and is erased. `th` is never lowered otherwise.
  @inline(__always)
  func verdict(_ span: borrowing SpanFacts, mode: SamplingMode) -> SamplingVerdict {
    guard span.traits.contains(.hasThreshold) else {
      guard probability < 1 else { return .keep }
      return threshold.keeps(randomness: span.randomness) ? .stamp(threshold) : .drop
    }
    return verdict(randomness: span.randomness, incoming: span.threshold, mode: mode)
  }

  private func verdict(randomness: UInt64, incoming: Threshold, mode: SamplingMode) -> SamplingVerdict {
    guard incoming.keeps(randomness: randomness) else {
      guard probability < 1 else { return .stamp(nil) }
      return threshold.keeps(randomness: randomness) ? .stamp(threshold) : .drop
    }
    guard probability < 1 else { return .keep }
    let own =
      mode == .equalizing || probability <= 0
      ? threshold : Threshold(probability: probability * incoming.probability)
    guard own.keeps(randomness: randomness) else { return .drop }
    return own > incoming ? .stamp(own) : .keep
  }
}
