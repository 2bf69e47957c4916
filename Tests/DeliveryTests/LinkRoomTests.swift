import Delivery
import Testing

/// Batches go one after the other, as the connections take them, and so many bytes of them are in flight.
@Suite struct LinkRoomTests {
  private func lane(_ connections: Int = 1, bytes: Int = 1000, requests: Int = 16) -> Lane {
    var lane = Lane(
      ForwarderOptions(connections: connections, requestsPerConnection: requests, bytesPerConnection: bytes))
    _ = lane.start()
    for slot in 0..<connections { _ = lane.up(slot) }
    return lane
  }

  @Test func aFullConnectionGetsTheNextBatchWhenItHasRoom() {
    var lane = lane()
    lane.full = [0]
    #expect(lane.enqueue() == ["send 0:0 #1"])
    #expect(lane.enqueue().isEmpty)
    #expect(!lane.forwarder.hasRoom)
    #expect(lane.answer(0, 0, .delivered(rejected: 0)) == ["settle 0 +10 -0"], "an answer makes no room")
    #expect(lane.room(0) == ["send 0:1 #1"])
    lane.full = []
    #expect(lane.room(0).isEmpty)
    #expect(lane.enqueue() == ["send 0:2 #1"])
    #expect(lane.forwarder.hasRoom)
  }

  @Test func othersAreSentOnTheConnectionThatHasRoom() {
    var lane = lane(2)
    lane.full = [0]
    #expect((0..<4).map { _ in lane.enqueue() } == ["0:0", "1:1", "1:2", "1:3"].map { ["send \($0) #1"] })
  }

  @Test func bytesInFlightAreLimited() {
    var lane = lane(bytes: 250)
    lane.requestBytes = 100
    // The last may go past the limit.
    #expect((0..<4).flatMap { _ in lane.enqueue() } == ["send 0:0 #1", "send 0:1 #1", "send 0:2 #1"])
    #expect(lane.answer(1, 0, .delivered(rejected: 0)) == ["settle 1 +10 -0", "send 0:3 #1"])
    #expect(lane.enqueue().isEmpty)
    // What is lost with its connection is in flight no more.
    #expect(lane.down(0) == ["connect 0"])
    #expect(lane.forwarder.inFlightRequests == 0)
    lane.now += second
    #expect(lane.up(0).count == 3)
  }

  @Test func aBatchThatIsLargerThanTheLimitGoesAlone() {
    var lane = lane(bytes: 50)
    lane.requestBytes = 100
    #expect(lane.enqueue() == ["send 0:0 #1"])
    #expect(lane.enqueue().isEmpty)
    #expect(lane.answer(0, 0, .retry(after: .seconds(1))) == ["send 0:1 #1"])
  }

  @Test func aNewConnectionHasRoom() {
    var lane = lane()
    lane.full = [0]
    _ = lane.enqueue()
    _ = lane.down(0)
    _ = lane.sleep()
    lane.now += second
    lane.full = []
    #expect(lane.up(0) == ["send 0:0 #2"])
  }
}
