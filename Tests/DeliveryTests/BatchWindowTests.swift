import Delivery
import Testing

@Suite struct BatchWindowTests {
  private static let origin = BatchIdentity.Origin(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210, epoch: 7)

  private func batch(_ sequence: UInt64, _ source: UInt64 = 1) -> BatchIdentity {
    BatchIdentity(origin: BatchIdentity.Origin(high: source, low: 0, epoch: 0), sequence: sequence)
  }

  @Test func theTextIsReadBack() throws {
    let identity = BatchIdentity(origin: Self.origin, sequence: 42)
    #expect(identity.text == "01234567-89ab-cdef-fedc-ba9876543210/7/42")
    #expect(BatchIdentity(identity.text.utf8) == identity)
    #expect(BatchIdentity("01234567-89AB-CDEF-FEDC-BA9876543210/7/42".utf8) == identity)
    let largest = BatchIdentity(origin: .init(high: .max, low: .max, epoch: .max), sequence: .max)
    #expect(BatchIdentity(largest.text.utf8) == largest)
  }

  @Test(arguments: [
    "", "/", "//", "01234567-89ab-cdef-fedc-ba9876543210/7", "01234567-89ab-cdef-fedc-ba9876543210/7/",
    "01234567-89ab-cdef-fedc-ba9876543210/7/-1", "01234567-89ab-cdef-fedc-ba9876543210/7/18446744073709551616",
    "0123456789abcdeffedcba9876543210/7/1", "01234567-89ab-cdef-fedc-ba987654321g/7/1",
    "01234567-89ab-cdef-fedc-ba9876543210/7/1/2", "01234567-89ab-cdef-fedc-ba9876543210/0000000000000000000007/1",
  ]) func otherTextIsNone(_ text: String) { #expect(BatchIdentity(text.utf8) == nil) }

  @Test func aBatchIsNewOnce() {
    var window = BatchWindow()
    for sequence: UInt64 in [5, 3, 4, 9, 0] {
      #expect(!window.contains(batch(sequence)))
      let (first, second) = (window.insert(batch(sequence)), window.insert(batch(sequence)))
      #expect(first && !second)
      #expect(window.contains(batch(sequence)))
    }
    let isNew = window.insert(batch(5, 2))
    #expect(isNew, "another origin has numbers of its own")
    let foreign = BatchIdentity(origin: .init(high: 1, low: 0, epoch: 0, region: "eu-west-1"), sequence: 5)
    #expect(!window.contains(foreign), "and so has who speaks for another region")
    #expect(!window.contains(batch(1)))
    #expect(window.evictions == 0)
  }

  @Test func theCapsForgetTheOldest() {
    var window = BatchWindow(originsMax: 2, rangesMax: 2)
    for sequence: UInt64 in [1, 3] { window.insert(batch(sequence)) }
    #expect(window.evictions == 0)
    window.insert(batch(5))
    #expect(window.evictions == 1)
    #expect(!window.contains(batch(1)) && window.contains(batch(3)) && window.contains(batch(5)))
    window.insert(batch(1, 2))
    window.insert(batch(6))
    window.insert(batch(1, 3))
    #expect(window.count == 2)
    #expect(!window.contains(batch(1, 2)) && window.contains(batch(6)) && window.contains(batch(1, 3)))
  }

  @Test(arguments: 0..<20) func itAgreesWithASet(_ seed: UInt64) {
    var random = SeededRandom(seed)
    var window = BatchWindow(rangesMax: 10_000)
    var model: Set<UInt64> = []
    for _ in 0..<500 {
      let sequence = random.next() % 400
      let (isNew, isExpected) = (window.insert(batch(sequence)), model.insert(sequence).inserted)
      #expect(isNew == isExpected, "seed \(seed)")
    }
    for sequence in 0..<401 as Range<UInt64> {
      #expect(window.contains(batch(sequence)) == model.contains(sequence), "seed \(seed)")
    }
  }
}
