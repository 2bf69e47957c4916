import Delivery
import Testing

@Suite struct RetryScheduleTests {
  private let schedule = RetrySchedule(
    initialInterval: .seconds(1), maxInterval: .seconds(30), maxElapsedTime: .seconds(60))

  @Test func growsByHalfUpToTheMaximum() {
    let intervals = (0..<12).map { schedule.interval(retry: $0) }
    #expect(intervals[0] == second)
    #expect(intervals[1] == 1500 * millisecond)
    #expect(intervals[2] == 2250 * millisecond)
    #expect(intervals[8] == 25_628_906_250)
    #expect(intervals[9] == 30 * second)
    #expect(schedule.interval(retry: .max) == 30 * second)
  }

  @Test func jitterIsHalfTheIntervalEitherWay() {
    #expect(schedule.delay(retry: 0, jitter: 0) == 500 * millisecond)
    #expect(schedule.delay(retry: 0, jitter: 0.5) == second)
    #expect(schedule.delay(retry: 0, jitter: 1) == 1500 * millisecond)
    #expect(schedule.delay(retry: 0, jitter: 7) == 1500 * millisecond)
    #expect(schedule.delay(retry: 50, jitter: 0) == 15 * second)
  }

  @Test func waitsAtLeastAsLongAsThePeerAsks() {
    func next(_ peerDelay: Duration?) -> UInt64? {
      RetrySchedule().next(retry: 0, elapsed: 0, peerDelay: peerDelay, jitter: 0.5)
    }
    #expect(next(nil) == second)
    #expect(next(.milliseconds(10)) == second)
    #expect(next(.seconds(-10)) == second)
    #expect(next(.seconds(5)) == 5 * second)
    #expect(next(.seconds(Int64.max)) == 3600 * second)
  }

  @Test func givesUpWhenTheNextTryWouldBeTooLate() {
    #expect(schedule.next(retry: 0, elapsed: 59 * second, peerDelay: nil, jitter: 0.5) == second)
    #expect(schedule.next(retry: 0, elapsed: 59 * second + 1, peerDelay: nil, jitter: 0.5) == nil)
    #expect(schedule.next(retry: 0, elapsed: .max, peerDelay: nil, jitter: 0.5) == nil)
    #expect(schedule.next(retry: 0, elapsed: 50 * second, peerDelay: .seconds(11), jitter: 0.5) == nil)
    var endless = schedule
    endless.maxElapsedTime = .zero
    #expect(endless.next(retry: 0, elapsed: .max, peerDelay: nil, jitter: 0.5) == second)
  }

  @Test func endlessIntervalsDoNotTrap() {
    let endless = RetrySchedule(initialInterval: .seconds(Int64.max), maxInterval: .seconds(Int64.max))
    #expect(endless.delay(retry: 3, jitter: 1) == .max)
    #expect(RetrySchedule(initialInterval: .zero).delay(retry: 100, jitter: 1) == 0)
    #expect(RetrySchedule(initialInterval: .seconds(-1)).delay(retry: 1, jitter: 1) == 0)
  }
}
