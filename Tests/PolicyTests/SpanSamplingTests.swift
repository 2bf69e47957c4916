import Testing
import TraceWire

@testable import Policy

@Suite struct SpanSamplingTests {
  static let limit = Threshold.limit

  private func verdict(
    _ probability: Double, randomness: UInt64, th: String? = nil, mode: SamplingMode = .equalizing
  ) -> SamplingVerdict {
    var span = SpanFacts()
    span.randomness = randomness
    if let th, let threshold = Threshold(hex: Array(th.utf8)) {
      span.threshold = threshold
      span.traits = [.hasThreshold, .hasOT]
    }
    return SpanSampling(probability: probability).verdict(span, mode: mode)
  }

  private func th(_ verdict: SamplingVerdict) -> String? {
    guard case .stamp(let threshold?) = verdict else { return nil }
    return String(decoding: threshold.hexDigits, as: UTF8.self)
  }

  @Test(arguments: [(0.5, "8"), (0.1, "e666"), (0.01, "fd70a")])
  func theContractsExamples(probability: Double, text: String) throws {
    let threshold = try #require(Threshold(hex: Array(text.utf8)))
    #expect(th(verdict(probability, randomness: threshold.rawValue)) == text)
    #expect(verdict(probability, randomness: threshold.rawValue - 1) == .drop)
  }

  @Test func certaintyLeavesTheSpanAsItCame() {
    #expect(verdict(1, randomness: 0) == .keep)
    #expect(verdict(1, randomness: Self.limit - 1, th: "e666") == .keep)
    #expect(verdict(1, randomness: Self.limit - 1, th: "e666", mode: .proportional) == .keep)
  }

  @Test(arguments: SamplingMode.allCases)
  func zeroDropsAll(mode: SamplingMode) {
    #expect(verdict(0, randomness: Self.limit - 1, mode: mode) == .drop)
    #expect(verdict(0, randomness: Self.limit - 1, th: "8", mode: mode) == .drop)
    #expect(verdict(0, randomness: 0, th: "8", mode: mode) == .drop)
  }

  @Test func equalizingTakesTheRarer() {
    let high = Self.limit - 1
    #expect(th(verdict(0.1, randomness: high, th: "8")) == "e666")
    #expect(verdict(0.5, randomness: high, th: "e666") == .keep)
    #expect(verdict(0.5, randomness: high, th: "8") == .keep)
    #expect(verdict(0.5, randomness: high, th: "8000") == .keep, "another spelling of the same stays")
    #expect(verdict(0.1, randomness: 0xe665 << 40, th: "8") == .drop)
  }

  @Test func proportionalMultiplies() {
    let high = Self.limit - 1
    #expect(th(verdict(0.5, randomness: high, th: "8", mode: .proportional)) == "c")
    #expect(verdict(0.5, randomness: (0xc << 52) - 1, th: "8", mode: .proportional) == .drop)
    #expect(th(verdict(0.5, randomness: 0xc << 52, th: "8", mode: .proportional)) == "c")
    #expect(th(verdict(0.5, randomness: high, mode: .proportional)) == "8")
    #expect(th(verdict(0.5, randomness: high, th: "e666", mode: .proportional)) == "f333")
  }

  @Test(arguments: SamplingMode.allCases)
  func aContradictedThresholdSaysNothing(mode: SamplingMode) {
    // R = 0x9..., T_in = 0xe666...: the span cannot have been kept by that threshold.
    let randomness: UInt64 = 0x9 << 52
    #expect(verdict(1, randomness: randomness, th: "e666", mode: mode) == .stamp(nil))
    #expect(th(verdict(0.5, randomness: randomness, th: "e666", mode: mode)) == "8")
    #expect(verdict(0.1, randomness: randomness, th: "e666", mode: mode) == .drop)
  }

  @Test func thresholdsAreNeverLowered() {
    var random = SeededRandom(7)
    for _ in 0..<20_000 {
      let incoming = Threshold(rawValue: random.next() >> UInt64.random(in: 8...40, using: &random))
      let randomness = UInt64.random(in: incoming.rawValue..<Self.limit, using: &random)
      var span = SpanFacts()
      span.randomness = randomness
      span.threshold = incoming
      span.traits = .hasThreshold
      let sampling = SpanSampling(probability: Double.random(in: 0...1, using: &random))
      for mode in SamplingMode.allCases {
        guard case .stamp(let threshold) = sampling.verdict(span, mode: mode) else { continue }
        #expect(threshold.map { $0 > incoming && $0.keeps(randomness: randomness) } == true)
      }
    }
  }
}
