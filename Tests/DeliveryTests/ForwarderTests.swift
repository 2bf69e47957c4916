import Delivery
import Testing

@Suite struct ForwarderTests {
  private let one = ForwarderOptions(connections: 1, requestsPerConnection: 2)

  @Test func sendsOldestFirstUpToTheCap() {
    var lane = Lane(one)
    #expect(lane.start() == ["connect 0"])
    for _ in 0..<4 { #expect(lane.enqueue().isEmpty) }
    #expect(lane.up(0) == ["send 0:0 #1", "send 0:1 #1"])
    #expect(lane.answer(1, 0, .delivered(rejected: 0)) == ["settle 1 +10 -0", "send 0:2 #1"])
    #expect(lane.answer(1, 0, .delivered(rejected: 0)).isEmpty)
    #expect(lane.answer(0, 0, .delivered(rejected: 3)) == ["settle 0 +7 -3", "send 0:3 #1"])
    #expect(lane.answer(2, 0, .permanentFailure(code: 3)) == ["settle 2 +0 -10"])
    #expect(lane.forwarder.inFlightRequests == 1)
    #expect(lane.forwarder.queue.settled.through == 3)
  }

  @Test func peersConcurrencyHolds() {
    var lane = Lane(ForwarderOptions(connections: 1, requestsPerConnection: 8))
    _ = lane.start()
    for _ in 0..<4 { _ = lane.enqueue() }
    #expect(lane.up(0, concurrency: 1) == ["send 0:0 #1"])
    #expect(lane.tell { $0.connectionLimit(slot: 0, concurrency: 3, now: $1, into: &$2) }.count == 2)
    #expect(lane.tell { $0.connectionLimit(slot: 0, concurrency: 0, now: $1, into: &$2) }.isEmpty)
    #expect(lane.answer(0, 0, .delivered(rejected: 0)) == ["settle 0 +10 -0"])
  }

  @Test func spreadsOverConnections() {
    var lane = Lane(ForwarderOptions(connections: 2, requestsPerConnection: 2))
    #expect(lane.start() == ["connect 0", "connect 1"])
    _ = lane.up(0)
    _ = lane.up(1)
    #expect(lane.enqueue() == ["send 0:0 #1"])
    #expect(lane.enqueue() == ["send 1:1 #1"])
    #expect(lane.enqueue() == ["send 0:2 #1"])
    #expect(lane.answer(1, 1, .delivered(rejected: 0)).count == 1)
    #expect(lane.enqueue() == ["send 1:3 #1"])
  }

  @Test func aRetryLetsOthersPass() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    #expect(lane.answer(0, 0, .retry(after: .seconds(5))).isEmpty)
    #expect(lane.enqueue() == ["send 0:1 #1"])
    #expect(lane.answer(1, 0, .delivered(rejected: 0)) == ["settle 1 +10 -0"])
    lane.now = 5 * second - 1
    #expect(lane.timer().isEmpty)
    lane.now += 1
    #expect(lane.timer() == ["send 0:0 #2"])
  }

  @Test func wakesForARetryOnlyWhenThereIsRoom() {
    var lane = Lane(ForwarderOptions(connections: 1, requestsPerConnection: 1, requestTimeout: .seconds(100)))
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    _ = lane.enqueue()
    #expect(lane.answer(0, 0, .retry(after: .zero)) == ["send 0:1 #1"])
    lane.now = 50 * second
    #expect(lane.timer().isEmpty)
    #expect(lane.wake == 100 * second)
    #expect(lane.answer(1, 0, .delivered(rejected: 0)) == ["settle 1 +10 -0", "send 0:0 #2"])
  }

  @Test func timeoutCancelsAndRetries() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    #expect(lane.wake == 10 * second)
    lane.now = 10 * second - 1
    #expect(lane.timer().isEmpty)
    #expect(lane.sleep() == ["cancel 0:0"])
    #expect(lane.answer(0, 0, .delivered(rejected: 0)).isEmpty)
    #expect(lane.sleep() == ["send 0:0 #2"])
    #expect(((10 * second + 500 * millisecond)...(11 * second + 500 * millisecond)).contains(lane.now))
  }

  @Test func aLostConnectionLosesNothing() {
    var lane = Lane(ForwarderOptions(connections: 1))
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    #expect(lane.down(0).isEmpty)
    for _ in 0..<50 {  // A wrong name, an unknown CA, nobody there.
      #expect(lane.sleep() == ["connect 0"])
      #expect(lane.down(0).isEmpty)
    }
    #expect(lane.now > 100 * second)
    #expect(lane.sleep() == ["connect 0"])
    #expect(lane.up(0) == ["send 0:0 #2"])
    #expect(lane.down(0).isEmpty)
    #expect(lane.forwarder.queue.count == 1)
  }

  @Test func elapsedTimeCountsWhereNobodyIsReached() {
    var lane = Lane(ForwarderOptions(connections: 1, retry: RetrySchedule(maxElapsedTime: .seconds(5))))
    _ = lane.start()
    lane.now = second
    _ = lane.enqueue()
    #expect(lane.down(0).isEmpty)
    lane.now = 2 * second
    _ = lane.enqueue()
    var events: [String] = []
    while lane.now < 6 * second {
      let commands = lane.sleep()
      events += commands
      if commands == ["connect 0"] { _ = lane.down(0) }
    }
    #expect(events.contains("settle 0 +0 -10"))
    #expect(!events.contains("settle 1 +0 -10"))
    #expect(lane.now == 6 * second)
    #expect(lane.forwarder.queue.count == 1)
  }

  @Test func elapsedTimeBeginsWhenTheLastAnswerWasLongAgo() {
    var lane = Lane(ForwarderOptions(connections: 1, retry: RetrySchedule(maxElapsedTime: .seconds(5))))
    _ = lane.start()
    _ = lane.up(0)
    for _ in 0..<3 { _ = lane.enqueue() }
    lane.now = 60 * second
    #expect(lane.answer(0, 0, .delivered(rejected: 0)) == ["settle 0 +10 -0"])
    _ = lane.leaving(0)
    lane.now = 100 * second
    #expect(lane.down(0) == ["connect 0"])  // 1 and 2 came long ago; the peer was there all the time.
    lane.now = 105 * second - 1
    #expect(lane.timer().isEmpty)
    lane.now = 105 * second
    #expect(lane.timer() == ["settle 1 +0 -10", "settle 2 +0 -10"])
  }

  @Test func aConnectionThatAnswersNothingStopsNoClock() {
    var lane = Lane(ForwarderOptions(connections: 1, retry: RetrySchedule(maxElapsedTime: .seconds(5))))
    _ = lane.start()
    _ = lane.enqueue()
    lane.now = 4 * second
    #expect(lane.up(0) == ["send 0:0 #1"])
    lane.now = 6 * second
    #expect(lane.timer().isEmpty)  // It may be answered yet.
    #expect(lane.down(0) == ["settle 0 +0 -10"])
  }

  @Test func aProvenConnectionIsReplacedAtOnce() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    _ = lane.answer(0, 0, .retry(after: nil))
    #expect(lane.down(0) == ["connect 0"])
    #expect(lane.down(0).isEmpty)
    #expect(lane.down(0).isEmpty)  // Told twice.
    #expect(lane.sleep() == ["connect 0"])
    #expect((250 * millisecond...750 * millisecond).contains(lane.now))
  }

  @Test func reconnectIntervalsGrowToTheirMaximum() {
    var lane = Lane(one)
    _ = lane.start()
    for failure in 0..<20 {
      let before = lane.now
      _ = lane.down(0)
      #expect(lane.sleep() == ["connect 0"])
      let interval = one.reconnect.interval(retry: failure)
      #expect((interval / 2...interval * 3 / 2).contains(lane.now - before))
    }
    #expect(one.reconnect.interval(retry: 20) == 5 * second)
  }

  @Test func aBatchThatBreaksConnectionsIsSlowedDown() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.enqueue()
    for _ in 0..<30 {
      #expect(lane.up(0).allSatisfy { $0.hasPrefix("send 0:0") })
      if lane.forwarder.inFlightRequests == 0 { #expect(lane.sleep().allSatisfy { $0.hasPrefix("send 0:0") }) }
      #expect(lane.forwarder.inFlightRequests == 1)
      _ = lane.down(0)
      #expect(lane.forwarder.queue[0] != nil)
      #expect(lane.sleep() == ["connect 0"])
    }
    #expect(lane.forwarder.queue[0]?.losses == 30)
    #expect(lane.now > 60 * second)
  }

  @Test func aLeavingConnectionFinishesAndIsReplaced() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    #expect(lane.leaving(0).isEmpty)
    #expect(lane.enqueue().isEmpty)
    #expect(lane.answer(0, 0, .delivered(rejected: 0)) == ["settle 0 +10 -0", "close 0"])
    #expect(lane.down(0) == ["connect 0"])
    #expect(lane.up(0) == ["send 0:1 #1"])
    #expect(lane.answer(1, 0, .delivered(rejected: 0)) == ["settle 1 +10 -0"])
    #expect(lane.leaving(0) == ["close 0"])
  }

  @Test func refusedStreamsDoNotCountAsTries() {
    var lane = Lane(
      ForwarderOptions(connections: 1, retry: RetrySchedule(maxElapsedTime: .milliseconds(1))))
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    #expect(lane.answer(0, 0, .lost).isEmpty)
    #expect(lane.sleep() == ["send 0:0 #2"])
    #expect(lane.forwarder.queue[0]?.retries == 0)
    #expect(lane.answer(0, 0, .retry(after: nil)) == ["settle 0 +0 -10"])
  }

  @Test func givesUpAfterTheElapsedTimeOfRefusals() {
    var lane = Lane(ForwarderOptions(connections: 1, retry: RetrySchedule(maxElapsedTime: .seconds(60))))
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    var tries = 1
    while tries < 1000, lane.answer(0, 0, .retry(after: nil)).isEmpty {
      #expect(lane.sleep() == ["send 0:0 #\(tries + 1)"])
      #expect(lane.now <= 60 * second)
      tries += 1
    }
    #expect(lane.now > 15 * second)
    #expect(tries > 4)
    #expect(lane.forwarder.queue.isEmpty)
  }

  @Test func drainHurriesOwnWaitsButNotThePeers() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    _ = lane.enqueue()
    _ = lane.answer(0, 0, .retry(after: nil))
    _ = lane.answer(1, 0, .retry(after: .seconds(3)))
    #expect(lane.drain(10 * second) == ["send 0:0 #2"])
    #expect(lane.answer(0, 0, .delivered(rejected: 0)) == ["settle 0 +10 -0"])
    #expect(lane.sleep() == ["send 0:1 #2"])
    #expect(lane.now >= 3 * second)
    #expect(lane.answer(1, 0, .delivered(rejected: 0)) == ["settle 1 +10 -0", "drained 0"])
    #expect(lane.timer().isEmpty)
    #expect(lane.enqueue() == ["send 0:2 #1"])
    #expect(lane.answer(2, 0, .delivered(rejected: 0)) == ["settle 2 +10 -0", "drained 0"])
  }

  @Test func drainEndsAtItsDeadline() {
    var lane = Lane(one)
    #expect(lane.start() == ["connect 0"])
    _ = lane.down(0)
    _ = lane.enqueue()
    #expect(lane.drain(2 * second) == ["connect 0"])
    var seen: [String] = []
    while seen.last != "drained 1", seen.count < 100 {
      if lane.now < 2 * second { _ = lane.down(0) }
      seen += lane.sleep()
    }
    #expect(lane.now == 2 * second)
    #expect(seen.filter { $0 == "connect 0" }.count >= 2)
    #expect(lane.forwarder.abandon().map(\.undeliverable) == [10])
    #expect(lane.forwarder.abandon().isEmpty)
    #expect(lane.forwarder.queue.capacity.used == 0)
  }

  @Test func drainOfNothingIsOverAtOnce() {
    var lane = Lane(one)
    _ = lane.start()
    #expect(lane.drain(second) == ["drained 0"])
  }

  @Test func aSlotThatDoesNotExistIsIgnored() {
    var lane = Lane(one)
    _ = lane.start()
    #expect(lane.up(1).isEmpty)
    #expect(lane.up(-1).isEmpty)
    #expect(lane.down(7).isEmpty)
    #expect(lane.answer(0, 7, .lost).isEmpty)
  }

  @Test func aFullQueueRefusesOrIsForced() {
    var lane = Lane(one, capacity: 3)
    _ = lane.start()
    var commands: [ForwarderCommand] = []
    let batch = Batch(payload: [1, 2, 3], spanCount: 1)
    #expect(lane.forwarder.enqueue(batch, .ifRoom, now: 0, into: &commands))
    #expect(lane.forwarder.queue.isFull)
    #expect(!lane.forwarder.enqueue(batch, .ifRoom, now: 0, into: &commands))
    #expect(lane.forwarder.enqueue(batch, .force, now: 0, into: &commands))
    #expect(lane.forwarder.queue.count == 2)
  }
}
