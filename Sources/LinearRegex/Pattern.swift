/// A compiled regular expression, which any number of `Matcher`s share.
public final class Pattern: Sendable {
  /// Instructions that a pattern may have.
  public static let sizeMax = 10_000
  /// Instructions that several patterns may have together.
  public static let unionSizeMax = 50_000

  /// The pattern as it was written; empty for a union.
  public let source: String
  /// The names of the capturing groups, nil for those without one; the first is the whole match.
  public let groups: [String?]
  /// Whether it can match without a character.
  public let matchesEmpty: Bool
  let node: PatternNode
  let program: Program

  /// Compiles a pattern. Throws where it is none, or too large.
  public convenience init(_ source: String) throws(PatternFault) {
    let (node, groups) = try PatternParser.parse(source)
    try self.init(source, node, groups, sizeMax: Self.sizeMax)
  }

  private init(_ source: String, _ node: PatternNode, _ groups: [String?], sizeMax: Int) throws(PatternFault) {
    self.source = source
    self.groups = groups
    self.node = node
    matchesEmpty = node.isNullable
    program = try Program(node, groupCount: groups.count, sizeMax: sizeMax)
  }

  /// One pattern that matches where any of these does, in one go over the text; it has no groups.
  public static func union(_ patterns: [Pattern]) throws(PatternFault) -> Pattern {
    let node = PatternNode.alternatives(patterns.map(\.node.withoutGroups))
    return try Pattern("", node, [nil], sizeMax: unionSizeMax)
  }

  /// How many instructions it has: what one character of a text can cost.
  public var size: Int { program.instructions.count }
}

extension PatternNode {
  fileprivate var withoutGroups: PatternNode {
    switch self {
    case .empty, .set, .assertion: self
    case .sequence(let parts): .sequence(parts.map(\.withoutGroups))
    case .alternatives(let parts): .alternatives(parts.map(\.withoutGroups))
    case .repeated(let part, let least, let most, let isLazy):
      .repeated(part.withoutGroups, least: least, most: most, isLazy: isLazy)
    case .group(let part, _): part.withoutGroups
    }
  }
}
