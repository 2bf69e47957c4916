import Delivery
import Testing

/// A reload: other numbers, another destination.
@Suite struct ForwarderReloadTests {
  private let one = ForwarderOptions(connections: 1, requestsPerConnection: 2)

  @Test func reloadChangesTheNumberOfConnections() {
    var lane = Lane(ForwarderOptions(connections: 2))
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.up(1)
    let fewer = lane.tell { $0.reconfigure(ForwarderOptions(connections: 1), now: $1, into: &$2) }
    #expect(fewer == ["close 1"])
    #expect(lane.down(1).isEmpty)
    #expect(lane.forwarder.readyConnections == 1)
    let more = lane.tell { $0.reconfigure(ForwarderOptions(connections: 3), now: $1, into: &$2) }
    #expect(more.contains("connect 2"))
    let all = more + lane.sleep()
    #expect(all.sorted() == ["connect 1", "connect 2"])
  }

  @Test func anotherDestinationTakesOverWhenWhatIsInFlightIsAnswered() {
    var lane = Lane(ForwarderOptions(connections: 2, requestsPerConnection: 2))
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.up(1)
    #expect(lane.enqueue() == ["send 0:0 #1"])
    #expect(lane.renew() == ["close 1"])
    // Nothing new goes to the old place, not even on the connection that still has something to answer.
    #expect(lane.enqueue().isEmpty)
    #expect(lane.down(1) == ["connect 1"], "at once: its end was no failure")
    #expect(lane.up(1) == ["send 1:1 #1"])
    #expect(lane.answer(0, 0, .delivered(rejected: 0)) == ["settle 0 +10 -0", "close 0"])
    #expect(lane.down(0) == ["connect 0"])
    #expect(lane.up(0).isEmpty)
    #expect(lane.enqueue() == ["send 0:2 #1"])
  }

  /// The old place may be gone, which is why there is another: nobody waits for it.
  @Test func connectionsOnTheirWayAreCalledBack() {
    var lane = Lane(ForwarderOptions(connections: 2))
    _ = lane.start()
    for _ in 0..<5 {
      _ = lane.down(1)
      _ = lane.sleep()
    }
    _ = lane.down(1)
    let renewed = lane.renew()
    #expect(renewed == ["close 0", "connect 1"], "0 was connecting, 1 waited for its next try")
    #expect(lane.down(0) == ["connect 0"])
    #expect(lane.enqueue().isEmpty)
    #expect(lane.up(0) == ["send 0:0 #1"])
  }

  /// A connection that came up just before it was called back is not used.
  @Test func aConnectionThatComesTooLateLeaves() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.enqueue()
    #expect(lane.renew() == ["close 0"])
    #expect(lane.up(0) == ["close 0"])
    #expect(lane.down(0) == ["connect 0"])
    #expect(lane.up(0) == ["send 0:0 #1"])
  }

  @Test func whatTheOldPlaceDoesNotAnswerGoesToTheNew() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    #expect(lane.enqueue() == ["send 0:0 #1"])
    #expect(lane.renew().isEmpty)
    #expect(lane.renew().isEmpty, "twice is once")
    #expect(lane.down(0) == ["connect 0"])
    _ = lane.up(0)
    #expect(lane.sleep() == ["send 0:0 #2"])
  }
}
