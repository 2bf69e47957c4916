/// Latencies in buckets of equal relative width: from 256 ns on each doubling has 128, so that no value is off by more
/// than 0.8 %. Memory is fixed, recording is an addition.
public struct LatencyHistogram: Sendable {
  private static let stepBits = 7
  private static let steps = 1 << stepBits
  /// Values past this one, about 73 minutes, count as it.
  private static let nanosecondsMax: UInt64 = (1 << 42) - 1

  private var buckets = [UInt64](repeating: 0, count: bucket(nanosecondsMax) + 1)
  /// Values recorded.
  public private(set) var count: UInt64 = 0
  /// The largest of them, in nanoseconds.
  public private(set) var max: UInt64 = 0

  /// No values.
  public init() {}

  /// Adds a value in nanoseconds.
  public mutating func record(_ nanoseconds: UInt64) {
    buckets[Self.bucket(Swift.min(nanoseconds, Self.nanosecondsMax))] &+= 1
    count &+= 1
    max = Swift.max(max, nanoseconds)
  }

  /// Adds the values of another.
  public mutating func merge(_ other: LatencyHistogram) {
    for (index, added) in other.buckets.enumerated() where added > 0 { buckets[index] &+= added }
    count &+= other.count
    max = Swift.max(max, other.max)
  }

  /// The value that a share of all values (0 to 1) does not exceed, in nanoseconds: the upper end of its bucket, but
  /// never more than the largest value. 0 without values.
  public func quantile(_ share: Double) -> UInt64 {
    let rank = UInt64((Double(count) * Swift.min(Swift.max(share, 0), 1)).rounded(.up))
    var passed: UInt64 = 0
    for (index, values) in buckets.enumerated() where values > 0 {
      passed &+= values
      if passed >= rank { return Swift.min(Self.upperEnd(index), max) }
    }
    return max
  }

  /// Values below two doublings' worth of steps have buckets of their own; a higher one keeps its first eight bits.
  private static func bucket(_ value: UInt64) -> Int {
    let shift = Swift.max(0, UInt64.bitWidth - value.leadingZeroBitCount - stepBits - 1)
    return shift * steps + Int(value >> UInt64(shift))
  }

  private static func upperEnd(_ bucket: Int) -> UInt64 {
    let shift = Swift.max(0, bucket / steps - 1)
    return (UInt64(bucket - shift * steps) + 1) << UInt64(shift) - 1
  }
}
