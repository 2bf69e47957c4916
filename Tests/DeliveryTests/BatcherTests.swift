import Delivery
import Testing

/// A request whose spans are runs of one byte: span `i` is `sizes[i]` times the byte `i + 1`, or dropped.
private struct FakeRequest {
  var sizes: [Int]
  var dropped: Set<Int> = []
  var bytes: Int { sizes.reduce(0, +) }

  func write(_ range: Range<Int>, _ limit: Int, _ buffer: inout [UInt8]) -> Batcher.Written {
    var written = 0
    for index in range {
      if dropped.contains(index) { continue }
      if written == limit { return (written, index) }
      buffer.append(contentsOf: repeatElement(UInt8(truncatingIfNeeded: index + 1), count: sizes[index]))
      written += 1
    }
    return (written, range.upperBound)
  }
}

extension Batcher {
  fileprivate mutating func append(
    _ request: FakeRequest, owner: UInt64? = nil, now: UInt64 = 0, sealed: inout [Batch]
  ) -> Appended {
    append(
      0..<request.sizes.count, requestBytes: request.bytes, owner: owner, now: now, sealed: &sealed,
      write: request.write)
  }
}

@Suite struct BatcherTests {
  @Test func sealsAtTheSizeAndSplitsAtTheMaximum() {
    var batcher = Batcher(BatchLimits(sendBatchSize: 4, sendBatchMaxSize: 6))
    var sealed: [Batch] = []
    var appended = batcher.append(FakeRequest(sizes: [1, 1, 1]), sealed: &sealed)
    #expect(appended == Batcher.Appended(spans: 3, bytes: 3))
    #expect(sealed.isEmpty)
    appended = batcher.append(FakeRequest(sizes: [1]), sealed: &sealed)
    #expect(sealed.map(\.spanCount) == [4])
    #expect(batcher.spanCount == 0)

    sealed = []
    _ = batcher.append(FakeRequest(sizes: Array(repeating: 1, count: 6)), sealed: &sealed)
    #expect(sealed.map(\.spanCount) == [6])
    sealed = []
    _ = batcher.append(FakeRequest(sizes: Array(repeating: 1, count: 7)), sealed: &sealed)
    #expect(sealed.map(\.spanCount) == [6])
    #expect(batcher.spanCount == 1)
    sealed = []
    _ = batcher.append(FakeRequest(sizes: Array(repeating: 1, count: 15)), sealed: &sealed)
    #expect(sealed.map(\.spanCount) == [6, 6, 4])
    #expect(batcher.byteCount == 0)
  }

  @Test func noMaximumTakesEverything() {
    var batcher = Batcher(BatchLimits(sendBatchSize: 4, sendBatchMaxSize: 0))
    var sealed: [Batch] = []
    _ = batcher.append(FakeRequest(sizes: Array(repeating: 2, count: 1000)), sealed: &sealed)
    #expect(sealed.map(\.spanCount) == [1000])
  }

  @Test func sizeZeroAndTimeoutZeroSealAtOnce() {
    for limits in [BatchLimits(sendBatchSize: 0, sendBatchMaxSize: 0), BatchLimits(timeout: .zero)] {
      var batcher = Batcher(limits)
      var sealed: [Batch] = []
      _ = batcher.append(FakeRequest(sizes: [1, 2]), sealed: &sealed)
      #expect(sealed.map(\.payload) == [[1, 2, 2]])
      #expect(batcher.nextDeadline == nil)
    }
  }

  @Test func maximumBelowTheSizeIsTheSize() {
    #expect(BatchLimits(sendBatchSize: 8192, sendBatchMaxSize: 100).sendBatchSize == 100)
  }

  @Test func isDueWhenItsFirstSpanHasWaited() {
    var batcher = Batcher(BatchLimits(timeout: .milliseconds(200)))
    var sealed: [Batch] = []
    #expect(batcher.nextDeadline == nil)
    #expect(!batcher.isDue(.max))
    #expect(batcher.seal() == nil)
    _ = batcher.append(FakeRequest(sizes: [1], dropped: [0]), now: 1 * millisecond, sealed: &sealed)
    #expect(batcher.nextDeadline == nil)
    _ = batcher.append(FakeRequest(sizes: [1]), now: 5 * millisecond, sealed: &sealed)
    _ = batcher.append(FakeRequest(sizes: [1]), now: 100 * millisecond, sealed: &sealed)
    #expect(batcher.nextDeadline == 205 * millisecond)
    #expect(!batcher.isDue(205 * millisecond - 1))
    #expect(batcher.isDue(205 * millisecond))
    #expect(batcher.seal()?.payload == [1, 1])
    #expect(batcher.nextDeadline == nil)
    _ = batcher.append(FakeRequest(sizes: [1]), now: .max - 1, sealed: &sealed)
    #expect(batcher.nextDeadline == .max)
  }

  @Test func byteCapIsReachedButNotExceeded() {
    var batcher = Batcher(BatchLimits(sendBatchSize: 1000, sendBatchMaxSize: 0, maxBytes: 10))
    var sealed: [Batch] = []
    _ = batcher.append(FakeRequest(sizes: [5, 4]), sealed: &sealed)
    #expect(sealed.isEmpty)
    _ = batcher.append(FakeRequest(sizes: [1]), sealed: &sealed)
    #expect(sealed.map(\.byteCount) == [10])
    sealed = []
    _ = batcher.append(FakeRequest(sizes: [5, 4]), sealed: &sealed)
    _ = batcher.append(FakeRequest(sizes: [2]), sealed: &sealed)
    #expect(sealed.map(\.byteCount) == [9])
    #expect(batcher.byteCount == 2)
  }

  @Test func aSpanLargerThanTheCapGoesAlone() {
    var batcher = Batcher(BatchLimits(sendBatchSize: 1000, sendBatchMaxSize: 0, maxBytes: 10))
    var sealed: [Batch] = []
    _ = batcher.append(FakeRequest(sizes: [2, 11, 3]), sealed: &sealed)
    if let rest = batcher.seal() { sealed.append(rest) }
    #expect(sealed.map(\.byteCount) == [2, 11, 3])
  }

  @Test func droppedSpansLeaveNoBytes() {
    var batcher = Batcher(BatchLimits())
    var sealed: [Batch] = []
    let appended = batcher.append(0..<3, requestBytes: 30, now: 0, sealed: &sealed) { _, _, buffer in
      buffer.append(contentsOf: [9, 9])  // An envelope without spans.
      return (0, 3)
    }
    #expect(appended == Batcher.Appended())
    #expect(batcher.byteCount == 0)
    #expect(batcher.append(0..<0, requestBytes: 0, now: 0, sealed: &sealed) { _, _, _ in (0, 0) }.spans == 0)
  }

  @Test(arguments: 0..<300) func everySpanIsPlacedOnceAndInOrder(seed: UInt64) {
    var random = SeededRandom(seed)
    let maxBytes = Int.random(in: 1...200, using: &random)
    let maxSpans = random.chance(0.3) ? 0 : Int.random(in: 1...40, using: &random)
    let limits = BatchLimits(
      sendBatchSize: Int.random(in: 0...60, using: &random), sendBatchMaxSize: maxSpans, maxBytes: maxBytes)
    var batcher = Batcher(limits)
    var sealed: [Batch] = []
    var expected: [UInt8] = []
    var expectedSpans = 0
    var sum = Batcher.Appended()
    for _ in 0..<20 {
      let sizes = (0..<Int.random(in: 0...100, using: &random)).map { _ in
        random.chance(0.02) ? Int.random(in: 1...400, using: &random) : Int.random(in: 1...9, using: &random)
      }
      let request = FakeRequest(sizes: sizes, dropped: Set(sizes.indices.filter { _ in random.chance(0.3) }))
      _ = request.write(0..<sizes.count, .max, &expected)
      expectedSpans += sizes.count - request.dropped.count
      let appended = batcher.append(request, sealed: &sealed)
      sum.spans += appended.spans
      sum.bytes += appended.bytes
      #expect(batcher.byteCount <= maxBytes, "seed \(seed)")
    }
    if let rest = batcher.seal() { sealed.append(rest) }
    #expect(sealed.flatMap(\.payload) == expected, "seed \(seed)")
    #expect(sum == Batcher.Appended(spans: expectedSpans, bytes: expected.count), "seed \(seed)")
    #expect(sealed.reduce(0) { $0 + $1.spanCount } == expectedSpans, "seed \(seed)")
    for batch in sealed {
      #expect(batch.byteCount <= maxBytes || batch.spanCount == 1, "seed \(seed)")
      #expect(maxSpans == 0 || batch.spanCount <= maxSpans, "seed \(seed)")
      #expect(batch.spanCount > 0, "seed \(seed)")
    }
  }

  @Test func takingBackCostsABoundedNumberOfCopies() {
    // Spans of a thirtieth of the cap: the bytes a writer writes in all stay near what is kept.
    let request = FakeRequest(sizes: Array(repeating: 100, count: 640))
    var batcher = Batcher(BatchLimits(sendBatchSize: 1024, sendBatchMaxSize: 2048, maxBytes: 3000))
    var sealed: [Batch] = []
    var writtenBytes = 0
    _ = batcher.append(0..<640, requestBytes: request.bytes, now: 0, sealed: &sealed) { range, limit, buffer in
      let before = buffer.count
      let result = request.write(range, limit, &buffer)
      writtenBytes += buffer.count - before
      return result
    }
    #expect(writtenBytes <= 3 * request.bytes)
    #expect(sealed.count >= 20)
    #expect(sealed.allSatisfy { $0.byteCount > 1500 })
  }

  @Test func aGiantBehindSmallSpansIsNotCopiedForEach() {
    var sizes = Array(repeating: 10, count: 500)
    sizes[100] = 60_000
    let request = FakeRequest(sizes: sizes)
    var batcher = Batcher(BatchLimits(sendBatchSize: 1024, sendBatchMaxSize: 2048, maxBytes: 3000))
    var sealed: [Batch] = []
    var writtenBytes = 0
    _ = batcher.append(0..<500, requestBytes: request.bytes, now: 0, sealed: &sealed) { range, limit, buffer in
      let before = buffer.count
      let result = request.write(range, limit, &buffer)
      writtenBytes += buffer.count - before
      return result
    }
    #expect(writtenBytes <= 10 * request.bytes)
    #expect(sealed.contains { $0.byteCount == 60_000 && $0.spanCount == 1 })
  }

  @Test func shrunkLimitsSealWhatIsOpen() {
    for smaller in [BatchLimits(sendBatchSize: 2, sendBatchMaxSize: 2), BatchLimits(maxBytes: 4)] {
      var batcher = Batcher(BatchLimits())
      var sealed: [Batch] = []
      _ = batcher.append(FakeRequest(sizes: [1, 1, 1, 1, 1]), sealed: &sealed)
      batcher.limits = smaller
      _ = batcher.append(FakeRequest(sizes: [1]), sealed: &sealed)
      #expect(sealed.map(\.spanCount) == [5])
      #expect(batcher.spanCount == 1)
    }
  }

  @Test func ownersAreKeptWithTheirBatches() {
    var batcher = Batcher(BatchLimits(sendBatchSize: 4, sendBatchMaxSize: 4))
    var sealed: [Batch] = []
    _ = batcher.append(FakeRequest(sizes: [1]), owner: 7, sealed: &sealed)
    _ = batcher.append(FakeRequest(sizes: [1]), owner: 7, sealed: &sealed)
    _ = batcher.append(FakeRequest(sizes: [1, 1, 1]), owner: 8, sealed: &sealed)
    if let rest = batcher.seal() { sealed.append(rest) }
    #expect(sealed.map(\.owners) == [[7, 8], [8]])
  }

  @Test func wholeTracesAreNotSplit() {
    var batcher = Batcher(BatchLimits(sendBatchSize: 8, sendBatchMaxSize: 10, maxBytes: 100))
    var sealed: [Batch] = []
    func trace(_ bytes: Int) -> [UInt8] { Array(repeating: UInt8(truncatingIfNeeded: bytes), count: bytes) }
    _ = batcher.append(whole: trace(10), spans: 7, now: 0, sealed: &sealed)
    _ = batcher.append(whole: trace(11), spans: 3, now: 0, sealed: &sealed)  // 10 spans: exactly the maximum.
    #expect(sealed.map(\.spanCount) == [10])
    sealed = []
    _ = batcher.append(whole: trace(10), spans: 7, now: 0, sealed: &sealed)
    _ = batcher.append(whole: trace(11), spans: 4, now: 0, sealed: &sealed)  // One more.
    #expect(sealed.map(\.spanCount) == [7])
    #expect(batcher.spanCount == 4)
    _ = batcher.append(whole: trace(20), spans: 50, now: 0, sealed: &sealed)  // Over the maximum by itself.
    #expect(sealed.map(\.spanCount) == [7, 4, 50])
    sealed = []
    _ = batcher.append(whole: trace(60), spans: 1, now: 0, sealed: &sealed)
    _ = batcher.append(whole: trace(40), spans: 1, now: 0, sealed: &sealed)
    #expect(sealed.map(\.byteCount) == [100])
    sealed = []
    _ = batcher.append(whole: trace(60), spans: 1, now: 0, sealed: &sealed)
    _ = batcher.append(whole: trace(41), spans: 1, now: 0, sealed: &sealed)
    #expect(sealed.map(\.byteCount) == [60])
    _ = batcher.append(whole: trace(101), spans: 1, now: 0, sealed: &sealed)
    #expect(sealed.map(\.byteCount) == [60, 41, 101])
    #expect(batcher.append(whole: [], spans: 0, now: 0, sealed: &sealed) == Batcher.Appended())
    #expect(batcher.nextDeadline == nil)
  }
}
