/// What is wrong with the randomness of the traces that begin at a relay.
public struct RandomnessSkew: Hashable, Sendable {
  /// The share of traces whose randomness is in the upper half; a half were right.
  public var upperHalfShare: Double
  /// How many traces were looked at.
  public var traces: Int
}

/// Notices a source whose randomness is not uniform. Older SDK samplers keep *small* trace IDs and say nothing, while
/// OpenTelemetry's threshold keeps *large* ones: behind such an SDK a route at 0.5 may keep next to nothing.
///
/// Looks at root spans only, one a trace, without `rv` (which is somebody's deliberate choice) and without `th` (what
/// an honest sampler left over is rightly above it). Pearson's chi-square over 16 buckets of the top four bits, for
/// every 4096 roots: with uniform randomness it exceeds 90 once in 10^12 windows, and an SDK that keeps 1 % of its
/// traces lies near 170. Half of that ends the skew, so that it is not said again and again.
struct SkewDetector: Sendable {
  static let window = 4096
  static let chiSquareMax = 90.0

  private var buckets: [Int] = Array(repeating: 0, count: 16)
  private var seen = 0
  private(set) var isSkewed = false

  /// Counts a trace's randomness.
  @inline(__always)
  mutating func observe(_ randomness: UInt64) {
    buckets[Int(truncatingIfNeeded: randomness >> 52) & 15] &+= 1
    seen &+= 1
  }

  /// Judges a full window: the skew where there is one and the window before had none.
  mutating func verdict() -> RandomnessSkew? {
    guard seen >= Self.window else { return nil }
    let expected = Double(seen) / 16
    var chiSquare = 0.0
    for count in buckets { chiSquare += (Double(count) - expected) * (Double(count) - expected) / expected }
    let upper = Double(buckets[8...].reduce(0, +)) / Double(seen)
    let skew = RandomnessSkew(upperHalfShare: upper, traces: seen)
    let wasSkewed = isSkewed
    // A larger window (one request brought it past its size) shows the same skew with a larger sum.
    let bound = Self.chiSquareMax * Double(seen) / Double(Self.window)
    isSkewed = chiSquare > (wasSkewed ? bound / 2 : bound)
    for bucket in buckets.indices { buckets[bucket] = 0 }
    seen = 0
    return isSkewed && !wasSkewed ? skew : nil
  }
}
