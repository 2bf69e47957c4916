/// A span of time as people write it: `250us`, `50ms`, `1.5s`, `0`.
public struct Latency: Sendable, Hashable {
  public var nanoseconds: UInt64

  private static let units: [String: Double] = ["us": 1e3, "ms": 1e6, "s": 1e9]

  /// Makes one.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Reads one of at most an hour.
  public init?(_ text: String) {
    let number = text.prefix { $0.isNumber || $0 == "." }
    guard let value = Double(number) else { return nil }
    guard let unit = text == "0" ? 1 : Self.units[String(text.dropFirst(number.count))] else { return nil }
    guard value * unit <= 3600e9 else { return nil }
    nanoseconds = UInt64(value * unit)
  }

  /// So many milliseconds.
  public static func milliseconds(_ count: UInt64) -> Latency { Latency(nanoseconds: count * 1_000_000) }
}
