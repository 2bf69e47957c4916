internal import Foundation
internal import Load

/// Random numbers of the distributions that traffic is made of.
extension SeededNumbers {
  /// Uniform between 0 and 1, both excluded.
  mutating func unit() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

  /// Exponential with mean 1.
  mutating func exponential() -> Double { -log(unit()) }

  /// Normal with mean 0 and variance 1 (Box and Muller).
  mutating func normal() -> Double { (-2 * log(unit())).squareRoot() * cos(2 * .pi * unit()) }

  /// The index that a uniform number falls on where each has this share.
  mutating func index(_ shares: [Double]) -> Int {
    var left = unit()
    for (index, share) in shares.enumerated() {
      left -= share
      if left < 0 { return index }
    }
    return shares.count - 1
  }
}
