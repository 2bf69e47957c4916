import Testing

@testable import Load

/// When requests are due, with a clock of the test's own.
@Suite struct SendScheduleTests {
  static func plan(_ pace: LoadPace, _ end: LoadEnd, connections: Int = 3) -> LoadPlan {
    LoadPlan(
      host: "localhost", port: 1, connections: connections, pace: pace, end: end,
      traffic: Traffic(.relay, spansPerRequest: 1))
  }

  @Test func anOpenLoopIsDueByTheClockAlone() {
    let plan = Self.plan(.perSecond(1000), .requests(100))
    var due: [Int: UInt64] = [:]
    for connection in 0..<3 {
      var schedule = SendSchedule(plan, connection: connection, begin: 500)
      #expect(schedule.next(now: 499) == .wait(until: 500 + UInt64(connection) * 1_000_000))
      // Nobody asked for half a second: what is due since is due since then.
      #expect(schedule.overdue(now: 500 + 50_000_000) == (connection < 2 ? 17 : 16))
      while case .send(let number, let time) = schedule.next(now: .max) { due[number] = time }
      #expect(schedule.next(now: .max) == .done)
      #expect(schedule.overdue(now: .max) == 0)
    }
    #expect(due.count == 100)
    for (number, time) in due { #expect(time == 500 + UInt64(number) * 1_000_000) }
  }

  @Test func aClosedLoopIsAlwaysDueUntilItsEnd() {
    let plan = Self.plan(.inFlight(4), .after(.milliseconds(2)), connections: 2)
    var schedule = SendSchedule(plan, connection: 1, begin: 0)
    #expect(schedule.next(now: 7) == .send(number: 1, due: 7))
    #expect(schedule.next(now: 1_999_999) == .send(number: 3, due: 1_999_999))
    #expect(schedule.next(now: 2_000_000) == .done)
    #expect(schedule.overdue(now: 9_000_000) == 0)
  }

  @Test func anOpenLoopEndsOnTime() {
    var schedule = SendSchedule(
      Self.plan(.perSecond(1e6), .after(.microseconds(10)), connections: 1), connection: 0, begin: 0)
    var sent = 0
    while case .send = schedule.next(now: .max) { sent += 1 }
    #expect(sent == 10)
  }
}
