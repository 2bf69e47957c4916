import Delivery
import Testing

@Suite struct AcknowledgementTests {
  @Test(arguments: 0..<100) func isTheSetOfWhatWasInserted(seed: UInt64) {
    var random = SeededRandom(seed)
    var acknowledgement = Acknowledgement(epoch: 1)
    var model: Set<UInt64> = []
    for _ in 0..<60 {
      let sequence = UInt64.random(in: 0..<50, using: &random)
      acknowledgement.insert(sequence)
      model.insert(sequence)
      for candidate in 0..<52 as Range<UInt64> {
        #expect(acknowledgement.contains(candidate) == model.contains(candidate), "seed \(seed)")
      }
      var end = acknowledgement.through
      #expect(!model.contains(end), "seed \(seed)")
      for range in acknowledgement.ranges {
        #expect(range.lowerBound > end, "seed \(seed)")
        end = range.upperBound
      }
    }
  }

  @Test func becomesOneNumberWhenNothingIsMissing() {
    var acknowledgement = Acknowledgement(epoch: 1)
    for sequence in (0..<1000 as Range<UInt64>).reversed() { acknowledgement.insert(sequence) }
    #expect(acknowledgement.through == 1000)
    #expect(acknowledgement.ranges.isEmpty)
    acknowledgement.insert(.max)
    #expect(acknowledgement.ranges.isEmpty)
  }
}
