/// Reads a pattern into its tree.
struct PatternParser {
  /// How deep groups may lie inside each other.
  static let depthMax = 100
  /// The largest count in braces, as in RE2.
  static let countMax = 1000

  /// What `(?ims-U)` switches.
  struct Flags {
    var ignoresCase = false
    var isMultiLine = false
    var dotTakesNewline = false
    var isLazy = false
  }

  private(set) var text: [Unicode.Scalar]
  var position = 0
  var flags = Flags()
  /// The names of the capturing groups, nil for those without; the first is the whole match.
  private(set) var groups: [String?] = [nil]
  private var depth = 0

  init(_ pattern: String) { text = Array(pattern.unicodeScalars) }

  /// The tree of the whole pattern.
  static func parse(_ pattern: String) throws(PatternFault) -> (node: PatternNode, groups: [String?]) {
    var parser = PatternParser(pattern)
    let node = try parser.alternatives()
    if parser.position < parser.text.count { throw parser.fault(.unopenedGroup) }
    return (node, parser.groups)
  }

  func fault(_ kind: PatternFault.Kind, at offset: Int? = nil) -> PatternFault {
    PatternFault(kind, at: offset ?? position)
  }

  var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

  /// Steps over these characters if they are next.
  mutating func skip(_ expected: String) -> Bool {
    let scalars = Array(expected.unicodeScalars)
    guard text[position...].starts(with: scalars) else { return false }
    position += scalars.count
    return true
  }

  // MARK: Structure

  private mutating func alternatives() throws(PatternFault) -> PatternNode {
    var parts = [try sequence()]
    while skip("|") { parts.append(try sequence()) }
    return parts.count == 1 ? parts[0] : .alternatives(parts)
  }

  private mutating func sequence() throws(PatternFault) -> PatternNode {
    var parts: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if skip("\\Q") {
        while position < text.count, !skip("\\E") {
          parts.append(literal(text[position]))
          position += 1
        }
        continue
      }
      let start = position
      guard let part = try atom() else { continue }
      parts.append(try repeated(part, from: start))
    }
    return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
  }

  /// A part with the repetition behind it.
  private mutating func repeated(_ part: PatternNode, from start: Int) throws(PatternFault) -> PatternNode {
    guard let (least, most) = try counts() else { return part }
    if case .assertion = part { throw fault(.nothingToRepeat, at: start) }
    let isLazy = skip("?") != flags.isLazy
    let end = position
    if next == "+" || next == "*" || next == "?" { throw fault(.doubleRepeat, at: end) }
    if try counts() != nil { throw fault(.doubleRepeat, at: end) }
    return .repeated(part, least: least, most: most, isLazy: isLazy)
  }

  private mutating func counts() throws(PatternFault) -> (Int, Int?)? {
    if skip("*") { return (0, nil) }
    if skip("+") { return (1, nil) }
    if skip("?") { return (0, 1) }
    guard next == "{" else { return nil }
    let start = position
    position += 1
    // Braces that are no count stand for themselves, as in RE2.
    guard let least = number() else {
      position = start
      return nil
    }
    var most: Int? = least
    if skip(",") { most = next == "}" ? nil : number() ?? -1 }
    guard most != -1, skip("}") else {
      position = start
      return nil
    }
    guard least <= Self.countMax, most ?? least <= Self.countMax, most ?? least >= least else {
      throw fault(.badCount, at: start)
    }
    return (least, most)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let digit = next?.value, (0x30...0x39).contains(digit) {
      value = min((value ?? 0) * 10 + Int(digit - 0x30), Self.countMax + 1)
      position += 1
    }
    return value
  }

  /// One part; nil where it only switches flags.
  private mutating func atom() throws(PatternFault) -> PatternNode? {
    guard let scalar = next else { return .empty }
    switch scalar {
    case "(": return try group()
    case "[": return .set(try characterClass())
    case "\\": return try escape()
    case "*", "+", "?": throw fault(.nothingToRepeat)
    case "{":
      if try counts() != nil { throw fault(.nothingToRepeat) }
    default: break
    }
    position += 1
    switch scalar {
    case ".": return .set(flags.dotTakesNewline ? .all : ScalarSet.newline.inverted)
    case "^": return .assertion(flags.isMultiLine ? .lineStart : .textStart)
    case "$": return .assertion(flags.isMultiLine ? .lineEnd : .textEnd)
    default: return literal(scalar)
    }
  }

  func literal(_ scalar: Unicode.Scalar) -> PatternNode { .set(cased(ScalarSet([scalar]))) }

  func cased(_ set: ScalarSet) -> ScalarSet { flags.ignoresCase ? set.ignoringCase : set }

  // MARK: Groups

  private mutating func group() throws(PatternFault) -> PatternNode? {
    let start = position
    position += 1
    let outside = flags
    var number: Int?
    if skip("?P<") || (next == "?" && !isLookaround && skip("?<")) {
      groups.append(try groupName())
      number = groups.count - 1
    } else if skip("?P=") {
      throw fault(.backReference, at: start)
    } else if skip("?") {
      if isLookaround(at: position - 1) { throw fault(.lookaround, at: start) }
      guard try switchFlags(start) else { return nil }
    } else {
      groups.append(nil)
      number = groups.count - 1
    }
    depth += 1
    guard depth <= Self.depthMax else { throw fault(.tooDeep, at: start) }
    let inside = try alternatives()
    depth -= 1
    guard skip(")") else { throw fault(.unclosedGroup, at: start) }
    flags = outside
    return number.map { .group(inside, $0) } ?? .sequence([inside])
  }

  private var isLookaround: Bool { isLookaround(at: position) }

  private func isLookaround(at offset: Int) -> Bool {
    ["?=", "?!", "?<=", "?<!"].contains { text[offset...].starts(with: Array($0.unicodeScalars)) }
  }

  private mutating func groupName() throws(PatternFault) -> String {
    let start = position
    var name = String.UnicodeScalarView()
    while let scalar = next, ScalarSet.word.contains(scalar.value) {
      name.append(scalar)
      position += 1
    }
    let result = String(name)
    guard skip(">"), !result.isEmpty, !groups.contains(result) else { throw fault(.badGroupName, at: start) }
    return result
  }

  /// Reads flags behind `(?`; whether a group begins behind them.
  private mutating func switchFlags(_ start: Int) throws(PatternFault) -> Bool {
    var isOn = true
    while let scalar = next {
      position += 1
      switch scalar {
      case "i": flags.ignoresCase = isOn
      case "m": flags.isMultiLine = isOn
      case "s": flags.dotTakesNewline = isOn
      case "U": flags.isLazy = isOn
      case "-" where isOn: isOn = false
      case ":": return true
      case ")": return false
      default: throw fault(.badGroup, at: start)
      }
    }
    throw fault(.unclosedGroup, at: start)
  }
}
