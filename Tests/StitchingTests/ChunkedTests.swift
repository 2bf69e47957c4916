import TestKit
import Testing

@testable import Stitching

@Suite struct ChunkedTests {
  @Test(arguments: [1, 2] as [UInt64]) func arrayBehavesLikeAnArray(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var chunked = ChunkedArray<UInt32>()
    var model: [UInt32] = []
    for step in 0..<30_000 as Range<UInt32> {
      // First mostly up, then mostly down, over chunks' bounds again and again.
      if step < 15_000 ? random.one(in: 4) : !random.one(in: 3) {
        #expect(chunked.popLast() == model.popLast(), "seed \(seed) step \(step)")
      } else {
        chunked.append(step)
        model.append(step)
      }
      if !model.isEmpty {
        let place = Int.random(in: model.indices, using: &random)
        chunked[place] &+= 1
        model[place] &+= 1
      }
      #expect(chunked.count == model.count && chunked.isEmpty == model.isEmpty)
    }
    #expect(model.indices.allSatisfy { chunked[$0] == model[$0] })
  }

  @Test func arrayIsSmallWhileItHoldsLittle() {
    var chunked = ChunkedArray<UInt64>()
    #expect(chunked.byteCount == 0)
    for number in 1...5000 as ClosedRange<UInt64> {
      chunked.append(number)
      let needed = Int(number) * 8
      #expect(chunked.byteCount >= needed)
      #expect(chunked.byteCount <= max(2 * needed + 256, needed + 8192 + 256), "\(number) elements")
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func queueBehavesLikeAnArray(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var queue = ChunkedQueue<UInt64>()
    var model: ArraySlice<UInt64> = []
    for step in 0..<400 as Range<UInt64> {
      for number in 0..<UInt64.random(in: 0..<200, using: &random) {
        queue.append(step << 32 | number)
        model.append(step << 32 | number)
      }
      let removed = Int.random(in: 0...model.count, using: &random) / (random.one(in: 5) ? 1 : 40)
      queue.removeFirst(removed)
      model = model.dropFirst(removed)
      #expect(queue.count == model.count && Int(queue.first) == model.startIndex && Int(queue.end) == model.endIndex)
      if let place = model.indices.randomElement(using: &random) {
        queue[UInt64(place)] &+= 1
        model[place] &+= 1
        #expect(queue[UInt64(place)] == model[place], "seed \(seed) step \(step)")
      }
    }
    #expect(model.indices.allSatisfy { queue[UInt64($0)] == model[$0] }, "seed \(seed)")
  }

  @Test func queueGivesChunksBack() {
    var queue = ChunkedQueue<UInt64>()
    for number in 0..<100_000 as Range<UInt64> { queue.append(number) }
    #expect((800_000...820_000).contains(queue.byteCount))
    queue.removeFirst(99_000)
    #expect(queue.byteCount < 20_000)
    #expect(queue[99_999] == 99_999)
    queue.removeFirst(1000)
    // Far past where the ring of chunks turns.
    for number in 100_000..<400_000 as Range<UInt64> {
      queue.append(number)
      if queue.count > 10 { queue.removeFirst() }
    }
    #expect(queue.byteCount < 20_000)
    #expect((0..<10).allSatisfy { queue[399_990 + $0] == 399_990 + $0 })
  }
}
