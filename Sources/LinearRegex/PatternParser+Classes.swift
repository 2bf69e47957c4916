/// Classes in brackets and escapes.
extension PatternParser {
  /// Reads an escape outside of brackets.
  mutating func escape() throws(PatternFault) -> PatternNode {
    let start = position
    guard position + 1 < text.count else { throw fault(.trailingBackslash) }
    let scalar = text[position + 1]
    switch scalar {
    case "A": return assertion(.textStart)
    case "z": return assertion(.textEnd)
    case "b": return assertion(.wordBoundary)
    case "B": return assertion(.noWordBoundary)
    case "1"..."9": throw fault(.backReference, at: start)
    default: break
    }
    if let named = namedClass() { return .set(cased(named)) }
    return literal(try escapedScalar())
  }

  private mutating func assertion(_ kind: PatternNode.Assertion) -> PatternNode {
    position += 2
    return .assertion(kind)
  }

  /// Reads `\d`, `\w`, `\s` or their opposites, if one is next.
  private mutating func namedClass() -> ScalarSet? {
    guard position + 1 < text.count else { return nil }
    let set: ScalarSet
    switch text[position + 1] {
    case "d": set = .digits
    case "D": set = ScalarSet.digits.inverted
    case "w": set = .word
    case "W": set = ScalarSet.word.inverted
    case "s": set = .space
    case "S": set = ScalarSet.space.inverted
    default: return nil
    }
    position += 2
    return set
  }

  /// Reads a backslash and the character it stands for.
  private mutating func escapedScalar() throws(PatternFault) -> Unicode.Scalar {
    let start = position
    position += 1
    guard let scalar = next else { throw fault(.trailingBackslash, at: start) }
    position += 1
    switch scalar {
    case "a": return "\u{7}"
    case "f": return "\u{c}"
    case "t": return "\t"
    case "n": return "\n"
    case "r": return "\r"
    case "v": return "\u{b}"
    case "x": return try hexadecimal(start)
    default:
      // A letter or digit might mean something elsewhere; anything else stands for itself.
      guard scalar.isASCII, !ScalarSet.word.contains(scalar.value) || scalar == "_" else {
        throw fault(.badEscape, at: start)
      }
      return scalar
    }
  }

  private mutating func hexadecimal(_ start: Int) throws(PatternFault) -> Unicode.Scalar {
    let isBraced = skip("{")
    var value: UInt32 = 0
    var digits = 0
    while let scalar = next, let digit = Character(scalar).hexDigitValue, digits < (isBraced ? 8 : 2) {
      value = value << 4 | UInt32(truncatingIfNeeded: digit)
      digits += 1
      position += 1
    }
    let isWhole = isBraced ? digits > 0 && skip("}") : digits == 2
    guard isWhole, let scalar = Unicode.Scalar(value) else { throw fault(.badEscape, at: start) }
    return scalar
  }

  // MARK: Brackets

  /// Reads a class in brackets.
  mutating func characterClass() throws(PatternFault) -> ScalarSet {
    let start = position
    position += 1
    let isInverted = skip("^")
    var set = ScalarSet([ClosedRange<UInt32>]())
    var isFirst = true
    while isFirst || next != "]" {
      isFirst = false
      guard position < text.count else { throw fault(.unclosedClass, at: start) }
      if text[position...].starts(with: ["[", ":"]) {
        set = set.union(try posixClass())
      } else if next == "\\", let named = namedClass() {
        set = set.union(named)
      } else {
        set = set.union(try range(in: start))
      }
    }
    position += 1
    let both = cased(set)
    return isInverted ? both.inverted : both
  }

  private mutating func range(in start: Int) throws(PatternFault) -> ScalarSet {
    let first = position
    let lower = try classScalar(in: start)
    guard next == "-", position + 1 < text.count, text[position + 1] != "]" else { return ScalarSet([lower]) }
    position += 1
    if next == "\\", namedClass() != nil { throw fault(.badRange, at: first) }
    let upper = try classScalar(in: start)
    guard lower <= upper else { throw fault(.badRange, at: first) }
    return ScalarSet([lower.value...upper.value])
  }

  private mutating func classScalar(in start: Int) throws(PatternFault) -> Unicode.Scalar {
    guard let scalar = next else { throw fault(.unclosedClass, at: start) }
    if scalar == "\\" { return try escapedScalar() }
    position += 1
    return scalar
  }

  private mutating func posixClass() throws(PatternFault) -> ScalarSet {
    let start = position
    position += 2
    let isInverted = skip("^")
    let upper: ClosedRange<UInt32> = 0x41...0x5a
    let lower: ClosedRange<UInt32> = 0x61...0x7a
    let digits: ClosedRange<UInt32> = 0x30...0x39
    let classes: [(String, [ClosedRange<UInt32>])] = [
      ("alnum", [digits, upper, lower]), ("alpha", [upper, lower]), ("ascii", [0...0x7f]),
      ("blank", [0x09...0x09, 0x20...0x20]), ("cntrl", [0...0x1f, 0x7f...0x7f]), ("digit", [digits]),
      ("graph", [0x21...0x7e]), ("lower", [lower]), ("print", [0x20...0x7e]),
      ("punct", [0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e]), ("space", [0x09...0x0d, 0x20...0x20]),
      ("upper", [upper]), ("word", [digits, upper, 0x5f...0x5f, lower]),
      ("xdigit", [digits, 0x41...0x46, 0x61...0x66]),
    ]
    for (name, ranges) in classes where skip("\(name):]") {
      let set = ScalarSet(ranges)
      return isInverted ? set.inverted : set
    }
    throw fault(.badClassName, at: start)
  }
}
