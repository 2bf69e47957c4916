import Testing
import TraceWire

@testable import Policy

@Suite struct SkewDetectorTests {
  private func warnings(windows: Int, seed: UInt64, _ randomness: (inout SeededRandom) -> UInt64) -> Int {
    var detector = SkewDetector()
    var random = SeededRandom(seed)
    var warnings = 0
    for _ in 0..<(windows * SkewDetector.window) {
      detector.observe(randomness(&random) & (Threshold.limit - 1))
      if detector.verdict() != nil { warnings += 1 }
    }
    return warnings
  }

  @Test func uniformRandomnessIsFine() {
    #expect(warnings(windows: 100, seed: 11) { $0.next() } == 0)
  }

  @Test(arguments: [0.01, 0.005, 0.001, 0.0001])
  func anSDKThatKeepsSmallIDsIsNoticedOnce(ratio: Double) {
    let bound = UInt64(ratio * 0x1p64)
    #expect(warnings(windows: 10, seed: 12) { UInt64.random(in: 0..<bound, using: &$0) } == 1)
  }

  @Test func itIsSaidAgainWhenItComesBack() {
    var count = 0
    let warnings = warnings(windows: 6, seed: 13) { random in
      count += 1
      return (count / (2 * SkewDetector.window)) % 2 == 0 ? random.next() >> 12 : random.next()
    }
    #expect(warnings == 2)
  }
}
