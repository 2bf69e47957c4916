import LinearRegex
import Testing

/// Patterns and texts that engines which backtrack do not come back from: work is counted, no time is taken.
@Suite struct RunawayTests {
  /// Steps that a text may cost: each character looks at each instruction a few times at most.
  private func most(_ pattern: Pattern, _ count: Int) -> Int { 4 * (pattern.size + 1) * (count + 1) }

  private func text(_ part: String, times: Int, then end: String = "") -> [UInt8] {
    Array((String(repeating: part, count: times) + end).utf8)
  }

  @Test(arguments: [
    "(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*a){20}c", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y",
    "(?:a?){30}a{30}b",
    #"(\w*)+\d{3}$"#, "(.*)*(.*)*(.*)*=", "(?i)(a|A)+(a|A)+(a|A)+!",
  ])
  func aTextCostsItsLength(source: String) throws {
    let pattern = try Pattern(source)
    for text in [text("a", times: 100_000, then: "!b"), text("x", times: 100_000), text("ab1", times: 33_000)] {
      var matcher = Matcher(pattern)
      let isMatch = matcher.matches(text)
      #expect(matcher.steps <= most(pattern, text.count), "\(source): \(matcher.steps) steps")
      let before = matcher.steps
      let place = matcher.find(text)
      #expect((place != nil) == isMatch)
      #expect(matcher.steps - before <= 2 * most(pattern, text.count), "\(source): \(matcher.steps) steps")
    }
  }

  /// A pattern whose automaton would have 2^20 states: they are forgotten again and again, and the answer is right.
  @Test func statesAreCapped() throws {
    let pattern = try Pattern("[ab]*a[ab]{20}c")
    var matcher = Matcher(pattern)
    var letters: [UInt8] = []
    var state: UInt64 = 0x2545_f491_4f6c_dd1d
    for _ in 0..<30_000 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      letters.append(state >> 33 & 1 == 0 ? UInt8(ascii: "a") : UInt8(ascii: "b"))
    }
    let isMatch = matcher.matches(letters)
    #expect(!isMatch)
    #expect(matcher.steps <= most(pattern, letters.count))
    letters[letters.count - 21] = UInt8(ascii: "a")
    letters.append(UInt8(ascii: "c"))
    let isNowMatch = matcher.matches(letters)
    #expect(isNowMatch)
  }

  @Test func brokenTextIsReadAsReplacementCharacters() throws {
    let broken: [UInt8] = [0x61, 0xff, 0xc3, 0x61, 0xe2, 0x82, 0xed, 0xa0, 0x80, 0xc0, 0x80, 0xf0, 0x9f, 0x98, 0x80]
    var matcher = Matcher(try Pattern("^a.{2}a.{7}😀$"))
    let whole = matcher.find(broken)
    #expect(whole == 0..<broken.count)
    var replacement = Matcher(try Pattern("\u{fffd}{2}"))
    let two = replacement.find(broken)
    #expect(two == 1..<3)
  }
}
