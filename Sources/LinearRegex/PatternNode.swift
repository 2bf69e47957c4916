/// A pattern as it is written: the tree of its parts.
indirect enum PatternNode: Sendable {
  case empty
  case set(ScalarSet)
  case sequence([PatternNode])
  /// The earlier one is preferred.
  case alternatives([PatternNode])
  /// Without `most` as often as it can be; a lazy one as seldom as possible.
  case repeated(PatternNode, least: Int, most: Int?, isLazy: Bool)
  /// A capturing group, by its number.
  case group(PatternNode, Int)
  case assertion(Assertion)

  /// What must hold between two characters.
  enum Assertion: UInt8, Sendable {
    case textStart
    case textEnd
    case lineStart
    case lineEnd
    case wordBoundary
    case noWordBoundary
  }

  /// Whether it can match without a character.
  var isNullable: Bool {
    switch self {
    case .empty, .assertion: true
    case .set: false
    case .sequence(let parts): parts.allSatisfy(\.isNullable)
    case .alternatives(let parts): parts.contains(where: \.isNullable)
    case .repeated(let part, let least, _, _): least == 0 || part.isNullable
    case .group(let part, _): part.isNullable
    }
  }

  /// Whether it can match at the text's beginning only.
  var isAnchored: Bool {
    switch self {
    case .assertion(.textStart): true
    case .empty, .set, .assertion: false
    case .sequence(let parts): parts.first?.isAnchored ?? false
    case .alternatives(let parts): parts.allSatisfy(\.isAnchored)
    case .repeated(let part, let least, _, _): least > 0 && part.isAnchored
    case .group(let part, _): part.isAnchored
    }
  }
}
