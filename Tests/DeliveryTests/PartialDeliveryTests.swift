import Delivery
import Telemetry
import Testing

/// Destinations that answer for every span by itself.
@Suite struct PartialDeliveryTests {
  private func lane(givingUpAfter limit: Duration = .zero) -> Lane {
    var lane = Lane(
      ForwarderOptions(connections: 1, retry: RetrySchedule(initialInterval: .seconds(1), maxElapsedTime: limit)))
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue(10)
    return lane
  }

  private let half = DeliveryProgress(delivered: 5, rejected: 1, left: [2, 3, 5, 7])

  @Test func theRestIsSentAgain() {
    var lane = lane()
    #expect(lane.answer(0, 0, .retryRest(half, after: nil)).isEmpty)
    #expect(lane.forwarder.batch(0)?.progress == half)
    #expect(lane.sleep() == ["send 0:0 #2"])
    #expect(lane.answer(0, 0, .delivered(rejected: 2)) == ["settle 0 +8 -2"])
  }

  @Test func thePeersDelayHolds() {
    var lane = lane()
    _ = lane.answer(0, 0, .retryRest(half, after: .seconds(9)))
    lane.now = 9 * second - 1
    #expect(lane.timer().isEmpty)
    lane.now += 1
    #expect(lane.timer() == ["send 0:0 #2"])
  }

  @Test func whatWasTakenIsNotGivenUp() {
    var lane = lane(givingUpAfter: .milliseconds(1))
    #expect(lane.answer(0, 0, .retryRest(half, after: nil)) == ["settle 0 +5 -5"])
    var refused = self.lane()
    _ = refused.answer(0, 0, .retryRest(half, after: nil))
    _ = refused.sleep()
    #expect(refused.answer(0, 0, .permanentFailure(code: 7)) == ["settle 0 +5 -5"])
    var abandoned = self.lane()
    _ = abandoned.answer(0, 0, .retryRest(half, after: nil))
    let left = abandoned.forwarder.abandon()
    #expect(left.map(\.forwarded) == [5])
  }

  @Test func everySpanIsBookedOnce() {
    var lane = lane(givingUpAfter: .milliseconds(1))
    var commands: [ForwarderCommand] = []
    lane.forwarder.answered(0, slot: 0, .retryRest(half, after: nil), now: 0, into: &commands)
    let counters = ExporterCounters(name: "x", capacity: ByteBudget(limit: 1))
    for case .settle(let settlement) in commands {
      #expect(settlement.depart() == Departure(forwarded: 5, undeliverable: 1, expired: 4, bytes: 3))
      counters.settled(settlement)
    }
    var spans: [String: Double] = [:]
    for family in ExporterCounters.metricFamilies([counters]) where family.name.hasSuffix("_spans_total") {
      for sample in family.samples {
        if case .number(let value) = sample.value, value > 0 { spans[sample.labels.last?.value ?? ""] = value }
      }
    }
    #expect(spans == ["x": 5, "rejected": 1, "gave_up": 4])
  }

  /// Whatever a peer makes of its answers, no more spans leave than came.
  @Test func impossibleNumbersAreHeldToTheBatch() {
    let batch = Batch(payload: [], spanCount: 3)
    var lane = Lane(ForwarderOptions(connections: 1))
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.tell { _ = $0.enqueue(batch, .force, now: $1, into: &$2) }
    let wild = DeliveryProgress(delivered: 70, rejected: 80, left: [1])
    _ = lane.answer(0, 0, .retryRest(wild, after: nil))
    #expect(lane.forwarder.abandon().map { $0.depart() } == [Departure(forwarded: 3, undeliverable: 0, bytes: 0)])
  }
}
