import TestKit
import Testing

@testable import Load

/// Quantiles against those of a sorted list.
@Suite struct LatencyHistogramTests {
  @Test(arguments: [UInt64(1), 2, 3]) func quantilesAreNear(seed: UInt64) {
    var source = SeededGenerator(seed: seed)
    let values = (0..<20_000).map { _ in
      UInt64.random(in: 0...UInt64.max >> UInt64.random(in: 24...60, using: &source), using: &source)
    }
    var (whole, first, second) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
    for (index, value) in values.enumerated() {
      whole.record(value)
      if index % 3 == 0 { first.record(value) } else { second.record(value) }
    }
    first.merge(second)
    let sorted = values.sorted()
    for share in [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1] {
      let exact = sorted[Int((Double(sorted.count) * share).rounded(.up)) - 1]
      let found = whole.quantile(share)
      #expect(found >= exact && Double(found - exact) <= Double(exact) / 128, "seed \(seed), \(share)")
      #expect(first.quantile(share) == found)
    }
    #expect(whole.count == 20_000 && whole.max == sorted.last)
  }

  @Test func edges() {
    var histogram = LatencyHistogram()
    #expect(histogram.quantile(0.5) == 0)
    for value in [0, 1, 127, 128, 255, 256, UInt64.max] { histogram.record(value) }
    #expect(histogram.count == 7 && histogram.max == .max)
    #expect(histogram.quantile(0) == 0)
    #expect(histogram.quantile(2.0 / 7) == 1)
    #expect(histogram.quantile(5.0 / 7) == 255)
  }
}
