import Delivery
import Testing

/// Connections that servers close while nothing is sent.
@Suite struct RestingConnectionTests {
  private let one = ForwarderOptions(connections: 1, requestsPerConnection: 2)

  private func rests(_ lane: inout Lane) -> [String] {
    lane.tell { $0.connectionRests(slot: 0, now: $1, into: &$2) }
  }

  @Test func anotherIsMadeWhenThereIsSomethingToSend() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    for sequence in UInt64(0)..<20 {
      #expect(rests(&lane).isEmpty)
      #expect(lane.sleep().isEmpty, "nobody is woken for it")
      #expect(lane.enqueue() == ["connect 0"], "at once, however often")
      #expect(lane.up(0) == ["send 0:\(sequence) #1"])
      #expect(lane.answer(sequence, 0, .delivered(rejected: 0)).count == 1)
    }
  }

  @Test func withSomethingToSendItIsMadeAtOnce() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    _ = lane.enqueue()
    #expect(lane.answer(0, 0, .retry(after: .seconds(5))).isEmpty)
    #expect(rests(&lane) == ["connect 0"])
    #expect(lane.up(0).isEmpty)
    #expect(lane.sleep() == ["send 0:0 #2"])
  }

  @Test func aReloadLeavesItToRest() {
    var lane = Lane(one)
    _ = lane.start()
    _ = lane.up(0)
    _ = rests(&lane)
    #expect(lane.renew().isEmpty)
    let fewer = lane.tell { $0.reconfigure(ForwarderOptions(connections: 2), now: $1, into: &$2) }
    #expect(fewer == ["connect 1"])
    #expect(lane.drain(second) == ["drained 0"])
  }
}
