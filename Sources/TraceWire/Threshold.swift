/// The sampling threshold of a route: a span is kept when its 56-bit randomness is at or above it.
/// As in OpenTelemetry's "TraceState: probability sampling": `0` keeps everything, `2^56` (which has no text) nothing.
@frozen public struct Threshold: Hashable, Comparable, Sendable {
  /// `2^56`: one past the largest randomness.
  @inlinable public static var limit: UInt64 { 1 << 56 }
  /// Keeps every span.
  @inlinable public static var always: Threshold { Threshold(rawValue: 0) }
  /// Keeps no span.
  @inlinable public static var never: Threshold { Threshold(rawValue: limit) }

  /// From 0 to `2^56`.
  public let rawValue: UInt64

  /// Makes a threshold of its number; anything past `2^56` is `never`.
  @inlinable public init(rawValue: UInt64) { self.rawValue = min(rawValue, Threshold.limit) }

  /// The threshold of a probability, rounded to four hex digits after the leading `f`s, as the Collector's
  /// `sampling_precision: 4`: 0.5 is `8`, 0.1 is `e666`, 0.01 is `fd70a`. Outside 0...1 it is clamped; NaN is `never`.
  public init(probability: Double) {
    guard probability > 0 else {
      self = .never
      return
    }
    guard probability < 1 else {
      self = .always
      return
    }
    let exact = UInt64(((1 - probability) * Double(Threshold.limit)).rounded())
    var digits = 4
    while digits < 14, (exact >> UInt64(4 * (17 - digits))) & 0xf == 0xf { digits += 1 }
    let shift = UInt64(4 * (14 - digits))
    let half: UInt64 = shift == 0 ? 0 : 1 << (shift - 1)
    self.init(rawValue: ((exact + half) >> shift) << shift)
  }

  /// Reads `th`: 1 to 14 lowercase hex digits, padded with zeros on the right. `nil` for anything else.
  @inlinable public init?(hex: some Collection<UInt8>) {
    guard (1...14).contains(hex.count) else { return nil }
    var value: UInt64 = 0
    for byte in hex {
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt64(byte &- 0x30)
      case 0x61...0x66: value = value << 4 | UInt64(byte &- 0x57)
      default: return nil
      }
    }
    self.init(rawValue: value << UInt64(4 * (14 - hex.count)))
  }

  /// What `th` says: up to 14 lowercase hex digits without trailing zeros, `0` for `always`. Undefined for `never`.
  public var hexDigits: [UInt8] {
    var digits: [UInt8] = []
    for position in stride(from: 52, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: rawValue >> UInt64(position)) & 0xf
      digits.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
    while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
    return digits
  }

  /// The probability that a span is kept.
  @inlinable public var probability: Double { Double(Threshold.limit - rawValue) / Double(Threshold.limit) }

  /// How many spans one kept span stands for: `2^56 / (2^56 - T)`; 0 for `never`.
  @inlinable public var adjustedCount: Double {
    rawValue == Threshold.limit ? 0 : Double(Threshold.limit) / Double(Threshold.limit - rawValue)
  }

  /// Whether a span with this randomness is kept.
  @inlinable public func keeps(randomness: UInt64) -> Bool { randomness >= rawValue }

  @inlinable public static func < (left: Threshold, right: Threshold) -> Bool { left.rawValue < right.rawValue }
}
