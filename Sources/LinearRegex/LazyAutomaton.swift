/// Says whether a text has a match, with a deterministic automaton of which only what texts need is built.
///
/// A state is the set of instructions that the last character led to, before anything is done that takes no character,
/// and that character's kind: what assertions behind it ask for is known with the next one.
struct LazyAutomaton: Sendable {
  /// Entries of the table; past it all states are forgotten.
  static let entriesMax = 1 << 16
  /// Instructions in all states; likewise.
  static let stateEntriesMax = 1 << 17
  private static let unknown: Int32 = -1
  private static let matched: Int32 = -2
  private static let failed: Int32 = -3

  private let program: Program
  /// Entries a state has in the table: one for each class, and one for the text's end.
  private let stride: Int
  private var table: [Int32] = []
  /// Each state's instructions, the kind of the character before them in front.
  private var states: [[Int32]] = []
  private var stateEntries = 0
  private var numbers: [[Int32]: Int32] = [:]
  private var reached: SparseSet
  private var stack: [Int32] = []
  private var core: [Int32] = []
  /// Instructions looked at, and characters.
  private(set) var steps = 0
  /// How often all states were forgotten.
  private(set) var flushes = 0

  init(_ program: Program) {
    self.program = program
    stride = program.alphabet.count + 1
    reached = SparseSet(capacity: program.instructions.count)
  }

  /// Whether there is a match in a range of the bytes.
  mutating func matches(_ bytes: RawSpan, _ lower: Int, _ upper: Int) -> Bool {
    if states.isEmpty { _ = number([Alphabet.Kind.none.rawValue]) }
    var state = 0
    var offset = lower
    while offset < upper {
      let (symbol, next) = program.alphabet.symbol(bytes, at: offset, end: upper)
      var target = table[state &* stride &+ symbol]
      if target == Self.unknown { target = step(state, symbol) }
      if target < 0 {
        steps &+= offset &- lower
        return target == Self.matched
      }
      state = Int(target)
      offset = next
    }
    steps &+= offset &- lower
    var target = table[state &* stride &+ stride &- 1]
    if target == Self.unknown { target = step(state, stride - 1) }
    return target == Self.matched
  }

  /// Works out where a state goes with the next character.
  @inline(never)
  private mutating func step(_ from: Int, _ symbol: Int) -> Int32 {
    let isFull = table.count + 2 * stride > Self.entriesMax || stateEntries > Self.stateEntriesMax
    let state = isFull ? flush(keeping: from) : from
    let before = Alphabet.Kind(rawValue: states[state][0]) ?? .other
    let after = program.alphabet.kind(symbol)
    var target = Self.failed
    if close(states[state], before, after) {
      target = Self.matched
    } else if symbol < stride - 1 {
      core.removeAll(keepingCapacity: true)
      for member in reached.members {
        if case .take(let row, let next) = program.instructions[Int(member)], program.takes(row, symbol) {
          core.append(next)
        }
      }
      if !core.isEmpty || !program.isAnchored {
        core.sort()
        let kind = program.hasAssertions ? after : .other
        target = number([kind.rawValue] + core)
      }
    }
    table[state * stride + symbol] = target
    return target
  }

  /// Forgets all states but the first and one more; gives that one's new number.
  private mutating func flush(keeping state: Int) -> Int {
    let kept = states[state]
    states.removeAll(keepingCapacity: true)
    numbers.removeAll(keepingCapacity: true)
    table.removeAll(keepingCapacity: true)
    stateEntries = 0
    flushes += 1
    _ = number([Alphabet.Kind.none.rawValue])
    return Int(number(kept))
  }

  /// Goes on from a state's instructions as far as no character is needed; whether the pattern has matched.
  private mutating func close(_ state: [Int32], _ before: Alphabet.Kind, _ after: Alphabet.Kind) -> Bool {
    reached.removeAll()
    stack.removeAll(keepingCapacity: true)
    stack += state.dropFirst()
    if !program.isAnchored || before == .none { stack.append(0) }
    while let instruction = stack.popLast() {
      steps &+= 1
      guard reached.insert(instruction) else { continue }
      switch program.instructions[Int(instruction)] {
      case .take: break
      case .fork(let first, let second):
        stack.append(second)
        stack.append(first)
      case .jump(let next), .note(_, let next): stack.append(next)
      case .check(let assertion, let next): if program.holds(assertion, before, after) { stack.append(next) }
      case .match: return true
      }
    }
    return false
  }

  /// The number of a state, which is made if it is not there.
  private mutating func number(_ state: [Int32]) -> Int32 {
    if let number = numbers[state] { return number }
    let number = Int32(truncatingIfNeeded: states.count)
    states.append(state)
    stateEntries += state.count
    numbers[state] = number
    table += repeatElement(Self.unknown, count: stride)
    return number
  }
}
