import TestKit
import Testing

@testable import Stitching

@Suite struct TimingWheelTests {
  /// An hour of timers, armed, disarmed and fired, against a plain list of deadlines.
  @Test(arguments: [1, 2, 3] as [UInt64]) func anHourAgainstAList(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let start = UInt64.random(in: 0...1 << 50, using: &random)
    var wheel = TimingWheel(now: start)
    wheel.reserve(timers: 400)
    var deadlines: [UInt32: UInt64] = [:]
    var now = start
    var fired = 0
    while now < start + 3600 * second {
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        let timer = UInt32.random(in: 0..<400, using: &random)
        if deadlines[timer] != nil {
          wheel.disarm(timer)
          deadlines[timer] = nil
        } else {
          let far = random.one(in: 5) ? 600 * second : 20 * second
          deadlines[timer] = now + UInt64.random(in: 0...far, using: &random)
          wheel.arm(timer, at: deadlines[timer] ?? 0)
        }
      }
      now += UInt64.random(in: 1...(random.one(in: 50) ? 200 : 1) * second, using: &random)
      while let timer = wheel.fire(now: now) {
        guard let deadline = deadlines[timer] else {
          Issue.record("fired unarmed, seed \(seed)")
          return
        }
        if deadline > now {
          // Past the wheel's turn, or in the tick that has begun.
          wheel.arm(timer, at: deadline)
          continue
        }
        deadlines[timer] = nil
        fired += 1
      }
      let overdue = deadlines.values.filter { $0 + TimingWheel.tick <= now }
      #expect(overdue.isEmpty, "seed \(seed)")
      #expect(wheel.armed == deadlines.count, "seed \(seed)")
      if let next = wheel.nextDeadline, let earliest = deadlines.values.min() {
        #expect(next < earliest + TimingWheel.tick, "seed \(seed)")
      }
    }
    #expect(fired > 1000)
  }

  @Test func neverFiresEarly() {
    var wheel = TimingWheel(now: 0)
    wheel.reserve(timers: 1)
    wheel.arm(0, at: 250_000_001)
    #expect(wheel.fire(now: 299_999_999) == nil)
    #expect(wheel.nextDeadline == 300_000_000)
    #expect(wheel.fire(now: 300_000_000) == 0)
    #expect(wheel.fire(now: 900 * second) == nil)
    #expect(wheel.nextDeadline == nil)
  }

  @Test func theEndOfTimeDoesNotTrap() {
    var wheel = TimingWheel(now: .max)
    wheel.reserve(timers: 2)
    wheel.arm(0, at: .max)
    wheel.arm(1, at: 0)
    var fired: [UInt32] = []
    while let timer = wheel.fire(now: .max), fired.count < 3 { fired.append(timer) }
    #expect(fired.contains(1))
  }
}
