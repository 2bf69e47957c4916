import NIOCore
import Testing

@testable import FaultProxy

/// What one direction of a connection does when, on a clock that the test moves.
@Suite struct LaneTests {
  private var pace = LinkPace()
  private let plain = LinkConditions()

  private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

  @Test mutating func withoutConditionsBytesGoOnAtOnce() {
    var lane = Lane(.toServer)
    #expect(lane.next(now: 5) == .nothing)
    lane.receive(bytes("ab"), now: 5, on: plain, pace: &pace)
    lane.end(now: 5, on: plain, pace: &pace)
    #expect(lane.heldBytes == 2)
    #expect(lane.next(now: 5) == .write(bytes("ab")))
    #expect(lane.next(now: 5) == .finish)
    #expect(lane.next(now: 5) == .nothing)
    #expect((lane.passedBytes, lane.heldBytes) == (2, 0))
  }

  @Test mutating func delayIsKeptToTheNanosecond() {
    let link = LinkConditions(delay: .milliseconds(50))
    var lane = Lane(.toClient)
    lane.receive(bytes("a"), now: 1000, on: link, pace: &pace)
    lane.receive(bytes("b"), now: 2000, on: link, pace: &pace)
    #expect(lane.next(now: 50_000_999) == .wait(until: 50_001_000))
    #expect(lane.next(now: 50_001_000) == .write(bytes("a")))
    #expect(lane.next(now: 50_001_000) == .wait(until: 50_002_000))
    #expect(lane.next(now: 50_002_000) == .write(bytes("b")))
  }

  @Test mutating func connectionsShareTheBandwidth() {
    let link = LinkConditions(delay: .milliseconds(1), bytesPerSecond: 1000)
    var (one, other) = (Lane(.toServer), Lane(.toServer))
    one.receive(bytes("0123456789"), now: 0, on: link, pace: &pace)
    other.receive(bytes("0123456789"), now: 0, on: link, pace: &pace)
    // 10 ms on the link each, one after the other, and 1 ms to travel.
    #expect(one.next(now: 0) == .wait(until: 11_000_000))
    #expect(other.next(now: 0) == .wait(until: 21_000_000))
    // An idle link has saved nothing up.
    other.receive(bytes("01234"), now: 1_000_000_000, on: link, pace: &pace)
    #expect(other.next(now: 21_000_000) == .write(bytes("0123456789")))
    #expect(other.next(now: 21_000_000) == .wait(until: 1_006_000_000))
  }

  @Test mutating func aSlowLinkCarriesInSmallPieces() {
    let link = LinkConditions(bytesPerSecond: 40_000)
    var lane = Lane(.toServer)
    lane.receive(ByteBuffer(repeating: 7, count: 5000), now: 0, on: link, pace: &pace)
    #expect(lane.next(now: 50_000_000) == .write(ByteBuffer(repeating: 7, count: 2000)))
    #expect(lane.next(now: 50_000_000) == .wait(until: 100_000_000))
    #expect(lane.next(now: 125_000_000) == .write(ByteBuffer(repeating: 7, count: 2000)))
    #expect(lane.next(now: 125_000_000) == .write(ByteBuffer(repeating: 7, count: 1000)))
  }

  @Test mutating func aFullLinkMakesTheSenderWait() {
    let link = LinkConditions(bytesPerSecond: 1 << 20)
    var lane = Lane(.toServer)
    lane.receive(ByteBuffer(repeating: 7, count: LinkConditions.queueBytes - 1), now: 0, on: link, pace: &pace)
    #expect(lane.wantsMore(on: link))
    lane.receive(bytes("x"), now: 0, on: link, pace: &pace)
    #expect(!lane.wantsMore(on: link))
    while case .write = lane.next(now: 50_000_000) {}
    #expect(lane.wantsMore(on: link))
  }

  @Test func whatFitsOnTheLinkIsBounded() {
    #expect(plain.heldBytesMax == LinkConditions.heldBytesCap)
    #expect(LinkConditions(bytesPerSecond: 1000).heldBytesMax == LinkConditions.queueBytes)
    let long = LinkConditions(delay: .milliseconds(100), bytesPerSecond: 125_000_000)
    #expect(long.heldBytesMax == 12_500_000 + LinkConditions.queueBytes)
    let huge = LinkConditions(delay: .milliseconds(3_600_000), bytesPerSecond: .max)
    #expect(huge.heldBytesMax == LinkConditions.heldBytesCap)
  }

  @Test mutating func aBlackHoleHoldsBytesAndEndsUntilItHeals() {
    var lane = Lane(.toServer)
    lane.receive(bytes("a"), now: 0, on: plain, pace: &pace)
    lane.apply(.blackHole)
    lane.end(now: 0, on: plain, pace: &pace)
    #expect(lane.next(now: .max) == .nothing)
    #expect(!lane.wantsMore(on: plain))
    lane.apply(.none)
    #expect(lane.wantsMore(on: plain))
    #expect(lane.next(now: 0) == .write(bytes("a")))
    #expect(lane.next(now: 0) == .finish)
  }

  @Test mutating func aHalfOpenConnectionNeverComesBack() {
    var lane = Lane(.toServer)
    lane.receive(bytes("ab"), now: 0, on: plain, pace: &pace)
    lane.apply(.halfOpen([.toServer]))
    lane.receive(bytes("c"), now: 0, on: plain, pace: &pace)
    #expect(lane.wantsMore(on: plain))
    lane.apply(.none)
    lane.receive(bytes("d"), now: 0, on: plain, pace: &pace)
    lane.end(now: 0, on: plain, pace: &pace)
    #expect(lane.next(now: .max) == .nothing)
    #expect((lane.swallowedBytes, lane.passedBytes, lane.heldBytes) == (4, 0, 0))
  }

  @Test mutating func oneDirectionMayBeHalfOpen() {
    var lane = Lane(.toClient)
    lane.apply(.halfOpen([.toServer]))
    lane.receive(bytes("a"), now: 0, on: plain, pace: &pace)
    #expect(lane.next(now: 0) == .write(bytes("a")))
  }

  @Test mutating func aConnectionIsCutAtTheByte() {
    var lane = Lane(.toServer)
    lane.apply(.closeAfter(bytes: 5))
    lane.receive(bytes("abc"), now: 0, on: plain, pace: &pace)
    lane.receive(bytes("def"), now: 0, on: plain, pace: &pace)
    #expect(lane.next(now: 0) == .write(bytes("abc")))
    #expect(lane.next(now: 0) == .write(bytes("de")))
    #expect(lane.next(now: 0) == .cut)
    #expect(lane.passedBytes == 5)
  }

  @Test mutating func aChangedLinkHoldsForWhatIsUnderWay() {
    let slow = LinkConditions(delay: .milliseconds(60_000), bytesPerSecond: 1)
    var lane = Lane(.toServer)
    lane.receive(bytes("ab"), now: 0, on: slow, pace: &pace)
    lane.end(now: 0, on: slow, pace: &pace)
    #expect(lane.next(now: 0) == .wait(until: 62_000_000_000))
    pace = LinkPace()
    lane.restart(now: 7, on: LinkConditions(delay: .milliseconds(1)), pace: &pace)
    #expect(lane.next(now: 7) == .wait(until: 1_000_007))
    #expect(lane.next(now: 1_000_007) == .write(bytes("ab")))
    #expect(lane.next(now: 1_000_007) == .finish)
  }
}
