import Delivery
import Testing

/// A forwarder whose requests share a link that carries so many batches a second and no more.
private struct NarrowLink {
  static let tick: UInt64 = 100_000_000

  var forwarder: Forwarder
  var now: UInt64 = 0
  let batchesPerSecond: Double
  /// How much of each request has gone, by slot and sequence.
  var progress: [UInt64: (slot: Int, sent: Double)] = [:]
  var delivered = 0

  init(_ options: ForwarderOptions, batchesPerSecond: Double) {
    self.batchesPerSecond = batchesPerSecond
    forwarder = Forwarder(options, queue: SendingQueue(capacity: ByteBudget(limit: 1 << 20)), seed: 7)
    tell { $0.start(now: $1, into: &$2) }
  }

  mutating func tell(_ event: (inout Forwarder, UInt64, inout [ForwarderCommand]) -> Void) {
    var commands: [ForwarderCommand] = []
    event(&forwarder, now, &commands)
    for command in commands {
      switch command {
      case .connect(let slot): tell { $0.connectionUp(slot: slot, now: $1, into: &$2) }
      case .send(let slot, let sequence, _):
        progress[sequence] = (slot, 0)
        tell { $0.carried(sequence, slot: slot, bytes: 1, hasRoom: true, now: $1, into: &$2) }
      case .cancel(_, let sequence): progress[sequence] = nil
      case .settle(let settlement): delivered += settlement.forwarded
      case .close, .wake, .drained: break
      }
    }
  }

  mutating func enqueue(_ count: Int) {
    for _ in 0..<count {
      tell { _ = $0.enqueue(Batch(payload: [1], spanCount: 1), .force, now: $1, into: &$2) }
    }
  }

  /// Lets time pass in which the link is shared equally; the most that was in flight.
  mutating func pass(seconds: Int) -> Int {
    var most = 0
    for _ in 0..<(seconds * 10) {
      most = max(most, progress.count)
      now += Self.tick
      let share = batchesPerSecond / 10 / Double(max(1, progress.count))
      for sequence in progress.keys.sorted() {
        guard let request = progress[sequence] else { continue }
        progress[sequence]?.sent += share
        guard request.sent + share >= 1 else { continue }
        progress[sequence] = nil
        tell { $0.answered(sequence, slot: request.slot, .delivered(rejected: 0), now: $1, into: &$2) }
      }
      tell { $0.timer(now: $1, into: &$2) }
    }
    return most
  }
}

@Suite struct NarrowLinkTests {
  private let options = ForwarderOptions(connections: 2, requestsPerConnection: 16, requestTimeout: .seconds(10))

  /// 32 requests at once would take 16 s each, and none would ever be through.
  @Test func aBacklogIsDelivered() {
    var link = NarrowLink(options, batchesPerSecond: 2)
    link.enqueue(200)
    _ = link.pass(seconds: 200)
    #expect(link.delivered == 200)
  }

  /// One batch alone takes 25 s, two and a half times what a request gets at first.
  @Test func aBatchThatIsLargeForItsLinkArrives() {
    var link = NarrowLink(options, batchesPerSecond: 0.04)
    link.enqueue(3)
    _ = link.pass(seconds: 600)
    #expect(link.delivered == 3)
  }

  @Test func whereThereIsBandwidthAllOfItIsUsed() {
    var link = NarrowLink(options, batchesPerSecond: 2)
    link.enqueue(60)
    _ = link.pass(seconds: 100)
    #expect(link.delivered == 60)
    #expect(link.forwarder.allowance(slot: 0) < 16)
    // The link is wide again: after some answers as much is under way as ever.
    var wide = NarrowLink(options, batchesPerSecond: 1000)
    wide.forwarder = link.forwarder
    wide.now = link.now
    wide.enqueue(2000)
    #expect(wide.pass(seconds: 10) == 32)
    #expect(wide.delivered == 2000)
  }

  @Test func aPeerThatAnswersInTimeIsNeverHeldBack() {
    var link = NarrowLink(options, batchesPerSecond: 4)
    link.enqueue(200)
    // 8 s each: later than half of the time, and yet in time.
    #expect(link.pass(seconds: 60) == 32)
    #expect(link.delivered == 200)
    #expect(link.forwarder.allowance(slot: 0) == .max)
  }

  @Test func aDeadPeerGetsOneRequestAtATime() {
    var link = NarrowLink(options, batchesPerSecond: 0)
    link.enqueue(100)
    _ = link.pass(seconds: 100)
    #expect(link.forwarder.allowance(slot: 0) == 1)
    #expect(link.forwarder.allowance(slot: 1) == 1)
    #expect(link.forwarder.inFlightRequests <= 2)
  }
}
