import TestKit
import Testing

@testable import Tenancy

let second: UInt64 = 1_000_000_000

@Suite struct TokenBucketTests {
  @Test func itGivesABurstAndThenTheRate() {
    var bucket = TokenBucket(rate: 100, burst: .seconds(2), now: 0)
    for _ in 0..<200 {
      #expect(bucket.wait(0) == nil)
      bucket.take(1, 0)
    }
    #expect(bucket.wait(0) == .zero)
    #expect(bucket.wait(second / 100) == nil)
    bucket.take(1, second / 100)
    #expect(bucket.wait(second / 100) == .zero)
    // However long nothing was taken: no more than the burst.
    bucket.take(0, 1000 * second)
    #expect(bucket.level == 200)
  }

  /// What is larger than all it holds gets through, and is paid for.
  @Test func debtIsPaid() {
    var bucket = TokenBucket(rate: 10, burst: .seconds(1), now: 0)
    #expect(bucket.wait(0) == nil)
    bucket.take(1000, 0)
    #expect(bucket.wait(0) == .seconds(99))
    #expect(bucket.wait(98 * second) == .seconds(1))
    #expect(bucket.wait(99 * second + 1) == nil)
  }

  @Test func peersNumbersAreHarmless() {
    var bucket = TokenBucket(rate: 0.001, burst: .milliseconds(10), now: .max - 1)
    bucket.take(.max, .max)
    bucket.take(.max, 0)
    bucket.take(-5, 0)
    #expect(bucket.wait(0) == .seconds(86_400))
    #expect(bucket.wait(.max) == .seconds(86_400))
    bucket.adopt(rate: 1e15, burst: .seconds(Int64.max), now: .max)
    #expect(bucket.wait(.max) != nil)
  }

  @Test func anotherRateHoldsAtOnce() {
    var bucket = TokenBucket(rate: 10, burst: .seconds(1), now: 0)
    bucket.take(110, 0)
    #expect(bucket.wait(0) == .seconds(10))
    bucket.adopt(rate: 100, burst: .seconds(1), now: 0)
    #expect(bucket.wait(0) == .seconds(1))
    var full = TokenBucket(rate: 1000, burst: .seconds(1), now: 0)
    full.adopt(rate: 1, burst: .seconds(3), now: 0)
    #expect(full.level == 3)
  }

  /// Whoever asks again when he is told to gets the rate in the long run, whatever he asks for.
  @Test(arguments: 1...20 as ClosedRange<UInt64>) func theRateIsKept(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let rate = Double.random(in: 1...10_000, using: &random)
    let burst = Double.random(in: 0.01...5, using: &random)
    var bucket = TokenBucket(rate: rate, burst: .seconds(burst), now: 0)
    var (now, taken, largest) = (UInt64(0), 0, 0)
    for _ in 0..<2000 {
      if let wait = bucket.wait(now) {
        let (seconds, attoseconds) = wait.components
        now += UInt64(seconds) * second + UInt64(attoseconds / 1_000_000_000) + 1
        #expect(bucket.wait(now) == nil, "seed \(seed): it gives when it said it would")
      }
      let amount = Int.random(in: 1...max(1, Int(rate * 3)), using: &random)
      bucket.take(amount, now)
      taken += amount
      largest = max(largest, amount)
      now += UInt64.random(in: 0...second / 100, using: &random)
    }
    let granted = rate * (burst + Double(now) / 1e9)
    #expect(Double(taken) <= granted + Double(largest) + 1, "seed \(seed)")
    #expect(Double(taken) >= rate * Double(now) / 1e9 * 0.9 - Double(largest), "seed \(seed)")
  }
}
