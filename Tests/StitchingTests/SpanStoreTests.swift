import TestKit
import Testing

@testable import Stitching

/// The store against a dictionary of arrays: whatever is appended and removed in whatever order, every trace's bytes
/// come back as they went in, and what is dead stays bounded.
@Suite struct SpanStoreTests {
  /// Bytes that resemble each other as spans do, with some noise; now and then noise alone, or nothing that is new.
  struct Slices {
    var random: SeededGenerator

    mutating func next(_ trace: Int) -> [UInt8] {
      let count =
        random.one(in: 100) ? Int.random(in: 3000...20_000, using: &random) : Int.random(in: 1...600, using: &random)
      var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: trace), count: count)
      let step = random.one(in: 10) ? 1 : 16
      for place in stride(from: 0, to: count, by: step) { bytes[place] = UInt8(truncatingIfNeeded: random.next()) }
      return bytes
    }
  }

  struct Model {
    var bytes: [UInt8] = []
    var slices = StoredSlices()
    var held = 0
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>, [4 << 10, 32 << 10]) func givesBackWhatItGot(seed: UInt64, block: Int)
  {
    var store = SpanStore(blockBytes: block)
    var slices = Slices(random: SeededGenerator(seed: seed))
    var model: [Int: Model] = [:]
    let inOrder = seed % 2 == 0
    for step in 0..<800 {
      // Most spans go to a recent trace; some traces live for long.
      let trace = slices.random.one(in: 20) ? step / 200 : 1000 + step / 4
      let bytes = slices.next(trace)
      let before = store.heldBytes
      var own = model[trace] ?? Model()
      store.append(bytes, to: &own.slices)
      own.bytes += bytes
      own.held += store.heldBytes - before
      #expect(store.heldBytes(own.slices) == own.held, "seed \(seed) step \(step)")
      model[trace] = own
      while model.count > 120 {
        let keys = model.keys.sorted()
        guard let gone = inOrder ? keys.first(where: { $0 >= 1000 }) : keys.randomElement(using: &slices.random),
          let past = model.removeValue(forKey: gone)
        else { break }
        #expect(store.read(past.slices) == past.bytes, "seed \(seed) step \(step) trace \(gone)")
        store.remove(past.slices)
      }
      #expect(store.heldBytes == model.values.reduce(0) { $0 + $1.held }, "seed \(seed) step \(step)")
    }
    for (trace, own) in model { #expect(store.read(own.slices) == own.bytes, "seed \(seed) trace \(trace)") }
    let empty = SpanStore(blockBytes: block)
    for own in model.values { store.remove(own.slices) }
    #expect(store.heldBytes == 0, "seed \(seed)")
    // The open block, the tables and the dictionaries are left.
    #expect(store.byteCount < empty.byteCount + (3 << 20), "seed \(seed)")
  }

  @Test func aFewThatStayDoNotKeepTheirBlocks() {
    let block = 8 << 10
    var store = SpanStore(blockBytes: block)
    var slices = Slices(random: SeededGenerator(seed: 5))
    var kept: [Model] = []
    var recent: [StoredSlices] = []
    for step in 0..<4000 {
      var own = Model(bytes: slices.next(3))
      store.append(own.bytes, to: &own.slices)
      if step % 50 == 0 { kept.append(own) } else { recent.append(own.slices) }
      if recent.count > 100 { store.remove(recent.removeFirst()) }
    }
    for own in recent { store.remove(own) }
    #expect(kept.count == 80)
    for own in kept { #expect(store.read(own.slices) == own.bytes) }
    #expect(store.deadBytes <= store.heldBytes / 8 + 2 * block, "little is dead")
  }

  @Test func aSliceLongerThanABlockIsCut() {
    var store = SpanStore(blockBytes: 4 << 10)
    for count in [0, 1, 1023, 1024, 1025, 4096, 100_000] {
      var trace = StoredSlices()
      var random = SeededGenerator(seed: UInt64(count))
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      store.append(bytes, to: &trace)
      #expect(trace.isEmpty == (count == 0))
      #expect(store.read(trace) == bytes)
      store.remove(trace)
    }
    #expect(store.heldBytes == 0)
  }

  @Test func similarSlicesTakeATenthOfTheirRoom() {
    var store = SpanStore(blockBytes: 256 << 10)
    var random = SeededGenerator(seed: 3)
    var total = 0
    var all: [StoredSlices] = []
    for _ in 0..<1500 {
      let id = (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = Array(
        String(repeating: "http.route /api/v1/product/{id} server.address shop.internal ", count: 8).utf8)
      var trace = StoredSlices()
      store.append(id + text, to: &trace)
      total += id.count + text.count
      all.append(trace)
    }
    #expect(store.heldBytes * 10 < total)
  }
}

extension SpanStore {
  fileprivate func read(_ trace: StoredSlices) -> [UInt8] {
    var bytes: [UInt8] = []
    read(trace, to: &bytes)
    return bytes
  }
}
