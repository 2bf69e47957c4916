/// A compiled pattern: instructions that both ways of running it follow.
struct Program: Sendable {
  /// One instruction; they refer to each other by their numbers.
  enum Instruction: Sendable {
    /// Takes a character of the row with this number.
    case take(row: Int32, next: Int32)
    /// Goes on at both; the first is preferred.
    case fork(Int32, Int32)
    case jump(Int32)
    /// Notes the place in this slot.
    case note(slot: Int32, next: Int32)
    case check(PatternNode.Assertion, next: Int32)
    case match
  }

  private(set) var instructions: [Instruction] = []
  let alphabet: Alphabet
  /// Rows of bits, one for each class of the alphabet, `rowWords` words each.
  private(set) var rows: [UInt64] = []
  let rowWords: Int
  let groupCount: Int
  /// Whether it matches at the beginning of a text only.
  let isAnchored: Bool
  /// Whether anything depends on what is between characters.
  private(set) var hasAssertions = false
  private var rowNumbers: [ScalarSet: Int32] = [:]
  private let sizeMax: Int

  /// Compiles a tree into at most so many instructions.
  init(_ node: PatternNode, groupCount: Int, sizeMax: Int) throws(PatternFault) {
    var sets: [ScalarSet] = []
    Self.collect(node, &sets)
    alphabet = Alphabet(sets)
    rowWords = (alphabet.count + 63) / 64
    self.groupCount = groupCount
    isAnchored = node.isAnchored
    self.sizeMax = sizeMax
    try note(0) { program throws(PatternFault) in try program.compile(node) }
    try append(.match)
  }

  @inline(__always)
  func takes(_ row: Int32, _ symbol: Int) -> Bool {
    rows[Int(row) &* rowWords &+ symbol >> 6] &>> UInt64(truncatingIfNeeded: symbol & 63) & 1 != 0
  }

  /// Whether an assertion holds between two characters of these kinds.
  func holds(_ assertion: PatternNode.Assertion, _ before: Alphabet.Kind, _ after: Alphabet.Kind) -> Bool {
    switch assertion {
    case .textStart: before == .none
    case .textEnd: after == .none
    case .lineStart: before == .none || before == .newline
    case .lineEnd: after == .none || after == .newline
    case .wordBoundary: (before == .word) != (after == .word)
    case .noWordBoundary: (before == .word) == (after == .word)
    }
  }

  // MARK: Compilation

  private static func collect(_ node: PatternNode, _ sets: inout [ScalarSet]) {
    switch node {
    case .empty, .assertion: break
    case .set(let set): sets.append(set)
    case .sequence(let parts), .alternatives(let parts): for part in parts { collect(part, &sets) }
    case .repeated(let part, _, _, _), .group(let part, _): collect(part, &sets)
    }
  }

  private var end: Int32 { Int32(truncatingIfNeeded: instructions.count) }

  private mutating func append(_ instruction: Instruction) throws(PatternFault) {
    guard instructions.count < sizeMax else { throw PatternFault(.tooLarge, at: 0) }
    instructions.append(instruction)
  }

  private mutating func compile(_ node: PatternNode) throws(PatternFault) {
    switch node {
    case .empty: break
    case .set(let set): try append(.take(row: row(of: set), next: end + 1))
    case .assertion(let assertion):
      hasAssertions = true
      try append(.check(assertion, next: end + 1))
    case .sequence(let parts): for part in parts { try compile(part) }
    case .alternatives(let parts): try compile(alternatives: parts[...])
    case .group(let part, let number):
      try note(number) { program throws(PatternFault) in try program.compile(part) }
    case .repeated(let part, let least, let most, let isLazy):
      try compile(part, least: least, most: most, isLazy: isLazy)
    }
  }

  private mutating func row(of set: ScalarSet) -> Int32 {
    if let number = rowNumbers[set] { return number }
    let number = Int32(truncatingIfNeeded: rowNumbers.count)
    rowNumbers[set] = number
    rows += alphabet.row(set)
    return number
  }

  private mutating func note(
    _ group: Int, _ body: (inout Program) throws(PatternFault) -> Void
  ) throws(PatternFault) {
    let slot = Int32(truncatingIfNeeded: group * 2)
    try append(.note(slot: slot, next: end + 1))
    try body(&self)
    try append(.note(slot: slot + 1, next: end + 1))
  }

  private mutating func compile(alternatives parts: ArraySlice<PatternNode>) throws(PatternFault) {
    var jumps: [Int] = []
    for (index, part) in parts.enumerated() {
      guard index < parts.count - 1 else {
        try compile(part)
        break
      }
      let fork = instructions.count
      try append(.match)
      try compile(part)
      jumps.append(instructions.count)
      try append(.match)
      instructions[fork] = .fork(Int32(truncatingIfNeeded: fork + 1), end)
    }
    for jump in jumps { instructions[jump] = .jump(end) }
  }

  private mutating func compile(
    _ part: PatternNode, least: Int, most: Int?, isLazy: Bool
  ) throws(PatternFault) {
    for _ in 0..<least { try compile(part) }
    guard let most else {
      let fork = instructions.count
      try append(.match)
      try compile(part)
      try append(.jump(Int32(truncatingIfNeeded: fork)))
      close(fork, isLazy)
      return
    }
    var forks: [Int] = []
    for _ in least..<most {
      forks.append(instructions.count)
      try append(.match)
      try compile(part)
    }
    for fork in forks { close(fork, isLazy) }
  }

  /// Lets a fork choose between what follows it and what comes after the last instruction so far.
  private mutating func close(_ fork: Int, _ isLazy: Bool) {
    let inside = Int32(truncatingIfNeeded: fork + 1)
    instructions[fork] = isLazy ? .fork(end, inside) : .fork(inside, end)
  }
}
