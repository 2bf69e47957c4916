/// Why a pattern cannot be compiled, and where in it.
public struct PatternFault: Error, Hashable, Sendable {
  /// What is wrong at the offset.
  public enum Kind: String, Sendable {
    case unclosedGroup = "`(` without `)`"
    case unopenedGroup = "`)` without `(`"
    case badGroup = "not a group that is known here; allowed: (...), (?:...), (?P<name>...), (?<name>...), (?ims-U)"
    case lookaround = "lookahead and lookbehind need backtracking, which is not done here"
    case backReference = "back references need backtracking, which is not done here"
    case badGroupName = "a group's name has letters, digits and underscores, and is there once"
    case unclosedClass = "`[` without `]`"
    case badRange = "a range's end is before its beginning, or it is no character"
    case badClassName = "not a class that is known here; allowed: [:alnum:], [:alpha:] and the others of ASCII"
    case badEscape = "not an escape that is known here"
    case trailingBackslash = "a backslash at the end"
    case nothingToRepeat = "nothing to repeat"
    case doubleRepeat = "a repetition of a repetition; put the inner one in parentheses"
    case badCount = "a count is at most 1000, and the second at least the first"
    case tooDeep = "groups nested too deeply"
    case tooLarge = "too large once its counts are written out"
  }

  /// What is wrong.
  public var kind: Kind
  /// The offset in the pattern, in characters.
  public var offset: Int

  /// Makes a fault at an offset.
  public init(_ kind: Kind, at offset: Int) {
    self.kind = kind
    self.offset = offset
  }
}

extension PatternFault: CustomStringConvertible {
  /// A sentence for who wrote the pattern.
  public var description: String { "\(kind.rawValue) (character \(offset + 1))" }
}
