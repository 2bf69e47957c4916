import Testing
import TraceWire

@testable import Policy

@Suite struct TraceMemoryTests {
  let route = RouteDecision(probability: 0.5, source: RegionID(1), target: RegionID(2))
  let rarer = RouteDecision(probability: 0.1, source: RegionID(2), target: RegionID(3))

  private func memory(_ tracesMax: Int, stripes: Int = 1) -> TraceMemory {
    TraceMemory(ttl: .seconds(60), tracesMax: tracesMax, stripes: stripes, seed: 3)
  }

  @Test func remembersTheMostGenerous() {
    let memory = memory(10)
    let id = TraceID(high: 1, low: 1)
    #expect(memory.combine(id, with: nil, now: 0) == nil)
    #expect(memory.count == 0, "what travels no route is not remembered")
    #expect(memory.combine(id, with: rarer, now: 0) == rarer)
    #expect(memory.combine(id, with: route, now: 0) == route)
    #expect(memory.combine(id, with: rarer, now: 0) == route)
    #expect(memory.combine(id, with: nil, now: 0) == route)
  }

  @Test func forgetsAfterItsTimeAndIsRefreshedByUse() {
    let memory = memory(10)
    let id = TraceID(high: 1, low: 1)
    let second: UInt64 = 1_000_000_000
    _ = memory.combine(id, with: route, now: 0)
    #expect(memory.combine(id, with: nil, now: 60 * second - 1) == route)
    #expect(memory.combine(id, with: nil, now: 120 * second - 2) == route)
    #expect(memory.combine(id, with: nil, now: 180 * second - 2) == nil)
    #expect(memory.combine(id, with: rarer, now: 181 * second) == rarer, "what is past its time does not count")
    #expect(memory.evictions == 0)
  }

  @Test func oneTooManyForgetsTheOneUsedLongestAgo() {
    let memory = memory(3)
    for number in 1...3 { _ = memory.combine(TraceID(low: UInt64(number)), with: route, now: UInt64(number)) }
    #expect(memory.combine(TraceID(low: 1), with: nil, now: 4) == route)
    #expect(memory.evictions == 0)
    _ = memory.combine(TraceID(low: 4), with: route, now: 5)
    #expect(memory.evictions == 1)
    #expect(memory.count == 3)
    #expect(memory.combine(TraceID(low: 2), with: nil, now: 6) == nil)
    for number in [1, 3, 4] {
      #expect(memory.combine(TraceID(low: UInt64(number)), with: nil, now: 6) == route, "trace \(number)")
    }
  }

  @Test func expiredTracesMakeRoomBeforeLiveOnes() {
    let memory = memory(3)
    let later: UInt64 = 61_000_000_000
    for number in 1...3 { _ = memory.combine(TraceID(low: UInt64(number)), with: route, now: 0) }
    for number in 4...6 { _ = memory.combine(TraceID(low: UInt64(number)), with: route, now: later) }
    #expect(memory.evictions == 0)
    #expect(memory.count == 3)
  }

  /// Against a plain model with the same rules.
  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func agreesWithAModel(seed: UInt64) {
    var random = SeededRandom(seed)
    let capacity = Int.random(in: 1...40, using: &random)
    let memory = memory(capacity)
    var model: [(id: TraceID, decision: RouteDecision, expiry: UInt64)] = []
    var now: UInt64 = 0
    for step in 0..<20_000 {
      now += UInt64.random(in: 0...2_000_000_000, using: &random)
      let id = TraceID(high: 9, low: UInt64.random(in: 0..<60, using: &random))
      let probability = Double.random(in: 0...1, using: &random)
      let seen =
        Bool.random(using: &random)
        ? RouteDecision(probability: probability, source: RegionID(1), target: RegionID(2)) : nil
      var expected = seen
      if let index = model.firstIndex(where: { $0.id == id }) {
        let old = model[index]
        if old.expiry > now { expected = seen.map { old.decision.combined(with: $0) } ?? old.decision }
        if old.expiry > now || seen != nil { model.remove(at: index) }
      } else if seen != nil, let oldest = model.first, oldest.expiry <= now || model.count >= capacity {
        model.removeFirst()
      }
      if let expected { model.append((id, expected, now + 60_000_000_000)) }
      #expect(memory.combine(id, with: seen, now: now) == expected, "seed \(seed) step \(step)")
      #expect(memory.count == model.count, "seed \(seed) step \(step)")
    }
  }

  @Test func loopsShareIt() async {
    let memory = memory(4096, stripes: 8)
    await withTaskGroup(of: Void.self) { group in
      for loop in 0..<4 {
        group.addTask {
          for number in 0..<2000 {
            let decision = RouteDecision(
              probability: Double(loop + 1) / 4, source: RegionID(UInt16(loop)), target: RegionID(9))
            _ = memory.combine(TraceID(low: UInt64(number % 200 + 1)), with: decision, now: 1)
          }
        }
      }
    }
    #expect(memory.count == 200)
    for number in 1...200 {
      let best = RouteDecision(probability: 1, source: RegionID(3), target: RegionID(9))
      #expect(memory.combine(TraceID(low: UInt64(number)), with: nil, now: 1) == best)
    }
  }

  @Test func stripesShareTheCap() {
    let memory = memory(200, stripes: 8)
    var random = SeededRandom(5)
    for _ in 0..<5000 { _ = memory.combine(TraceID(high: random.next(), low: random.next()), with: route, now: 1) }
    #expect(memory.count == 200)
    #expect(memory.evictions == 4800)
  }
}
