import TestKit
import Testing
import TraceWire

@testable import Stitching

/// Spans that wait in the requests that brought them are the same spans, however they are kept and packed.
@Suite struct YoungSpansTests {
  /// Counts how many of them there are.
  final class Lease {
    final class Count { var value = 0 }

    private let count: Count

    init(_ count: Count) {
      self.count = count
      count.value += 1
    }

    deinit { count.value -= 1 }
  }

  /// Whatever the idle timeout.
  private static var limits: StitchingLimits {
    var limits = StitchingLimits()
    limits.youngIdleMax = .seconds(1000)
    return limits
  }

  /// Traces in any order and any pieces, with repetitions: a shard that keeps requests hands on the same bytes as one
  /// that packs at once, and lets every request go.
  @Test(arguments: 1...12 as ClosedRange<UInt64>) func handsOnTheSame(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var limits = Self.limits
    limits.idleTimeout = .seconds(5)
    limits.youngAge = .milliseconds([0, 300, 2000, 100_000].randomElement(using: &random) ?? 0)
    // What is kept is less than a quarter of it.
    limits.memoryBytesMax = [60 << 10, 300 << 10, 1 << 30].randomElement(using: &random) ?? 0
    var unbound = limits
    unbound.memoryBytesMax = 1 << 40
    let (kept, packed) = (shard(limits), shard(unbound))
    let leases = Lease.Count()
    var traces = RandomTraces(seed: seed)
    let spans = (1...80).flatMap { traces.trace($0, spans: Int.random(in: 1...60, using: &random)) }
    var (now, closedEarly) = (0 as UInt64, 0)
    func messages(_ parts: [Closing.Part]) throws -> [TraceID: [[UInt8]]] {
      try parts.reduce(into: [:]) { all, part in
        let own = try part.messages()
        let wanted = Dictionary(uniqueKeysWithValues: part.traces.map { ($0.traceID, $0.spanCount) })
        #expect(own.mapValues(\.count) == wanted, "seed \(seed)")
        all.merge(own) { _, _ in
          Issue.record("a trace is in one part, seed \(seed)")
          return []
        }
      }
    }
    for step in 0..<400 {
      now &+= UInt64.random(in: 0...second / 10, using: &random)
      let batch = (0..<Int.random(in: 1...40, using: &random)).compactMap { _ in spans.randomElement(using: &random) }
      let request = request(batch.sorted { $0.trace < $1.trace })
      let indices = Array(0..<UInt32(batch.count))
      let before = kept.heldBytes
      let report = kept.ingest(request, spans: indices, now: now, lease: random.one(in: 9) ? nil : Lease(leases))
      #expect(kept.heldBytes == before + report.heldBytesChange && kept.heldBytes <= limits.memoryBytesMax)
      #expect(packed.ingest(request, spans: indices, now: now).accepted == report.accepted || closedEarly > 0)
      closedEarly += report.closed.traces.count
      _ = try messages(report.closed.parts)
      if random.one(in: 4) { _ = kept.pack(byteCount: 2000, evenDue: random.one(in: 2), now: now) }
      guard random.one(in: 3), closedEarly == 0 else { continue }
      let parts = kept.settled(at: now)
      #expect(try messages(parts) == messages(packed.settled(at: now)), "seed \(seed) step \(step)")
      #expect(kept.heldSpans == packed.heldSpans, "seed \(seed) step \(step)")
    }
    let rest = try messages(kept.closeAll(now: now).parts)
    if closedEarly == 0 { #expect(try messages(packed.closeAll(now: now).parts) == rest, "seed \(seed)") }
    #expect(kept.heldBytes == 0 && kept.heldSpans == 0 && leases.value == 0, "seed \(seed)")
  }

  @Test func packsWhatIsOldButNotWhatIsDue() {
    var limits = Self.limits
    limits.idleTimeout = .seconds(5)
    limits.youngAge = .seconds(3)
    let shard = shard(limits)
    let leases = Lease.Count()
    let first = request((1...50).map { TestSpan(trace: 1, id: $0, size: 400) })
    _ = shard.ingest(first, spans: Array(0..<50), now: 0, lease: Lease(leases))
    let young = shard.heldBytes
    #expect(!shard.pack(byteCount: 1, evenDue: false, now: 3 * second - 1) && leases.value == 1)
    #expect(shard.heldBytes == young, "too young")
    #expect(!shard.pack(byteCount: 1, evenDue: false, now: 5 * second) && leases.value == 1)
    #expect(shard.heldBytes == young, "it is to close now")
    #expect(!shard.pack(byteCount: 1, evenDue: true, now: 5 * second) && leases.value == 0)
    #expect(shard.heldBytes < young / 2)
    #expect(shard.settled(at: 6 * second).first?.payload == first.bytes)
  }

  /// One request a portion, until all are packed.
  @Test func packsInPortions() {
    var limits = Self.limits
    limits.youngAge = .seconds(1)
    let shard = shard(limits)
    let leases = Lease.Count()
    for trace in 1...10 as ClosedRange<UInt64> {
      let request = request((1...20).map { TestSpan(trace: trace, id: $0, size: 400) })
      _ = shard.ingest(request, spans: Array(0..<20), now: 0, lease: Lease(leases))
    }
    var turns = 1
    while shard.pack(byteCount: 100, evenDue: false, now: 2 * second) { turns += 1 }
    #expect(turns == 10 && leases.value == 0)
  }

  /// A trace closes while the request that brought it is being taken in.
  @Test(arguments: [1, 2, 3]) func closesWhatIsAtHand(live: Int) throws {
    var limits = Self.limits
    limits.maxLiveTraces = live
    let shard = shard(limits)
    let leases = Lease.Count()
    var messages: [[UInt8]] = []
    for number in 0..<5 as Range<UInt64> {
      let spans = (1...5).flatMap { trace in
        (1...2).map { TestSpan(trace: number % 2 * 5 + trace, id: number * 10 + $0) }
      }
      let request = request(spans)
      let report = shard.ingest(request, spans: Array(0..<10), now: number, lease: Lease(leases))
      #expect(report.accepted + report.late == 10)
      for part in report.closed.parts { messages += try part.messages().values.flatMap { $0 } }
      messages += try Closing.Part(late: report.latePayload).messages().values.flatMap { $0 }
    }
    for part in shard.closeAll(now: 9).parts { messages += try part.messages().values.flatMap { $0 } }
    #expect(messages.count == 50 && Set(messages).count == 50)
    #expect(shard.heldBytes == 0 && leases.value == 0)
  }

  @Test func keepsNothingThatWaitsForLong() {
    var limits = StitchingLimits()
    let leases = Lease.Count()
    let spans = request([TestSpan(id: 1), TestSpan(id: 2)])
    for (idle, kept) in [(3, 1), (4, 0)] {
      limits.idleTimeout = .seconds(idle)
      let shard = shard(limits)
      _ = shard.ingest(spans, spans: [0, 1], now: 0, lease: Lease(leases))
      #expect(leases.value == kept, "\(idle) s")
      #expect(shard.settled(at: 20 * second).first?.payload == spans.bytes && leases.value == 0)
    }
  }

  @Test func keepsNoMoreThanItsShare() {
    var limits = Self.limits
    limits.memoryBytesMax = 400 << 10
    let shard = shard(limits)
    let leases = Lease.Count()
    var most = 0
    for trace in 1...200 as ClosedRange<UInt64> {
      let request = request((1...10).map { TestSpan(trace: trace, id: $0, size: 400) })
      _ = shard.ingest(request, spans: Array(0..<10), now: 0, lease: Lease(leases))
      most = max(most, leases.value)
    }
    // A request and its facts take some 8 KiB, and there are 100.
    #expect((5...20).contains(most), "\(most) requests at most")
    let large = request((1...100).map { TestSpan(trace: 500, id: $0, size: 400) })
    _ = shard.ingest(large, spans: Array(0..<100), now: 0, lease: Lease(leases))
    #expect(leases.value <= most, "a large one is packed at once")
  }

  @Test func aRequestOfRepetitionsIsLetGo() {
    let shard = shard(Self.limits)
    let leases = Lease.Count()
    let spans = request([TestSpan(id: 1), TestSpan(id: 2)])
    _ = shard.ingest(spans, spans: [0, 1], now: 0, lease: Lease(leases))
    #expect(shard.ingest(spans, spans: [0, 1], now: 0, lease: Lease(leases)).duplicates == 2 && leases.value == 1)
    #expect(shard.settle(at: 20 * second).count == 1 && leases.value == 0)
    #expect(shard.ingest(spans, spans: [0, 1], now: 21 * second, lease: Lease(leases)).duplicates == 2)
    #expect(leases.value == 0)
  }
}

extension Closing.Part {
  /// Late spans, as if they were a part.
  fileprivate init(late payload: [UInt8]) {
    self.init(tenant: 0)
    self.payload = payload
  }
}
