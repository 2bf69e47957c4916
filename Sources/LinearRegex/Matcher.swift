/// Runs one pattern over texts. Whoever matches has one of its own: it keeps what earlier texts have taught it, and its
/// arrays. Every text takes time in proportion to its length.
public struct Matcher: Sendable {
  /// What it looks for.
  public let pattern: Pattern
  private var automaton: LazyAutomaton
  /// Made when it is needed.
  private var simulation: Simulation?

  /// Makes a matcher.
  public init(_ pattern: Pattern) {
    self.pattern = pattern
    automaton = LazyAutomaton(pattern.program)
  }

  /// Characters and instructions looked at so far: what its work is measured by.
  public var steps: Int { automaton.steps &+ (simulation?.steps ?? 0) }

  /// Whether there is a match anywhere in a range of the bytes.
  public mutating func matches(_ bytes: RawSpan, in range: Range<Int>) -> Bool {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount, "the text lies in its buffer")
    return automaton.matches(bytes, range.lowerBound, range.upperBound)
  }

  /// Whether there is a match that begins at `start` or later in a range of the bytes; where it is `capture` says.
  public mutating func find(_ bytes: RawSpan, in range: Range<Int>, from start: Int? = nil) -> Bool {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.byteCount, "the text lies in its buffer")
    let start = start ?? range.lowerBound
    precondition(start >= range.lowerBound && start <= range.upperBound, "a match begins in the text")
    if start == range.lowerBound, !automaton.matches(bytes, range.lowerBound, range.upperBound) { return false }
    if simulation == nil { simulation = Simulation(pattern.program) }
    return simulation?.find(bytes, range.lowerBound, range.upperBound, from: start) ?? false
  }

  /// Where a group of the match last found is, by its number; 0 is the whole match. Nil where it took no part.
  public func capture(_ group: Int) -> Range<Int>? {
    guard let found = simulation?.found, found[group * 2] >= 0, found[group * 2 + 1] >= 0 else { return nil }
    return found[group * 2]..<found[group * 2 + 1]
  }
}
