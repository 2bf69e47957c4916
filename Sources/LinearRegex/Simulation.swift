/// Says where a text's match and its groups are: all ways through the program at once, in the order of preference, a
/// character at a time (Pike's algorithm).
struct Simulation: Sendable {
  private let program: Program
  private let slotCount: Int
  private var now: SparseSet
  private var later: SparseSet
  /// The slots of each instruction's way, now and after the character.
  private var nowSlots: [Int]
  private var laterSlots: [Int]
  private var slots: [Int]
  private var stack: [Pending] = []
  /// The match's slots, -1 where a group took no part; meaningful after a match.
  private(set) var found: [Int]
  private(set) var steps = 0

  /// What is left to do while instructions are followed that take no character.
  private enum Pending {
    case follow(Int32)
    case restore(slot: Int, value: Int)
  }

  init(_ program: Program) {
    self.program = program
    let size = program.instructions.count
    slotCount = program.groupCount * 2
    now = SparseSet(capacity: size)
    later = SparseSet(capacity: size)
    nowSlots = Array(repeating: -1, count: size * slotCount)
    laterSlots = nowSlots
    slots = Array(repeating: -1, count: slotCount)
    found = slots
  }

  /// Looks for the first match that begins at `start` or later in a range of the bytes.
  mutating func find(_ bytes: RawSpan, _ lower: Int, _ upper: Int, from start: Int) -> Bool {
    let alphabet = program.alphabet
    var isFound = false
    var offset = start
    let last = alphabet.symbol(bytes, before: start, from: lower)
    var here = symbol(bytes, at: offset, upper)
    later.removeAll()
    if !program.isAnchored || start == lower { begin(at: offset, alphabet.kind(last), alphabet.kind(here.symbol)) }
    while true {
      swap(&now, &later)
      swap(&nowSlots, &laterSlots)
      if now.members.isEmpty, isFound || program.isAnchored { return isFound }
      let ahead = symbol(bytes, at: here.next, upper)
      later.removeAll()
      let kinds = (alphabet.kind(here.symbol), alphabet.kind(ahead.symbol))
      if advance(over: here.symbol, to: here.next, kinds) { isFound = true }
      guard offset < upper else { return isFound }
      if !isFound, !program.isAnchored { begin(at: here.next, kinds.0, kinds.1) }
      offset = here.next
      here = ahead
    }
  }

  /// The class of the character at an offset, and where the next one is.
  @inline(__always)
  private func symbol(_ bytes: RawSpan, at offset: Int, _ upper: Int) -> (symbol: Int, next: Int) {
    guard offset < upper else { return (program.alphabet.count, offset) }
    return program.alphabet.symbol(bytes, at: offset, end: upper)
  }

  /// Begins at an offset, after all ways that began before.
  private mutating func begin(at offset: Int, _ before: Alphabet.Kind, _ after: Alphabet.Kind) {
    for slot in slots.indices { slots[slot] = -1 }
    follow(0, at: offset, before, after)
  }

  /// Takes a character on all ways, the preferred one first; whether one has come to the end. Those behind it are
  /// given up then.
  private mutating func advance(
    over symbol: Int, to next: Int, _ kinds: (Alphabet.Kind, Alphabet.Kind)
  ) -> Bool {
    for member in now.members {
      let base = Int(member) &* slotCount
      switch program.instructions[Int(member)] {
      case .take(let row, let target) where symbol < program.alphabet.count && program.takes(row, symbol):
        for slot in slots.indices { slots[slot] = nowSlots[base &+ slot] }
        follow(target, at: next, kinds.0, kinds.1)
      case .match:
        for slot in found.indices { found[slot] = nowSlots[base &+ slot] }
        return true
      default: break
      }
    }
    return false
  }

  /// Adds the instructions that are reached without a character, in their order, with `slots` as they are there.
  private mutating func follow(_ start: Int32, at offset: Int, _ before: Alphabet.Kind, _ after: Alphabet.Kind) {
    stack.removeAll(keepingCapacity: true)
    stack.append(.follow(start))
    while let pending = stack.popLast() {
      guard case .follow(let instruction) = pending else {
        if case .restore(let slot, let value) = pending { slots[slot] = value }
        continue
      }
      steps &+= 1
      guard later.insert(instruction) else { continue }
      switch program.instructions[Int(instruction)] {
      case .take, .match:
        let base = Int(instruction) &* slotCount
        for slot in slots.indices { laterSlots[base &+ slot] = slots[slot] }
      case .fork(let first, let second):
        stack.append(.follow(second))
        stack.append(.follow(first))
      case .jump(let next): stack.append(.follow(next))
      case .note(let slot, let next):
        let slot = Int(slot)
        stack.append(.restore(slot: slot, value: slots[slot]))
        slots[slot] = offset
        stack.append(.follow(next))
      case .check(let assertion, let next):
        if program.holds(assertion, before, after) { stack.append(.follow(next)) }
      }
    }
  }
}
