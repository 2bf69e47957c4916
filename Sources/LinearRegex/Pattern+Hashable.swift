extension Pattern: Hashable, CustomStringConvertible {
  /// Patterns are equal where they are written alike.
  public static func == (left: Pattern, right: Pattern) -> Bool { left.source == right.source }

  public func hash(into hasher: inout Hasher) { hasher.combine(source) }

  /// The pattern as it was written.
  public var description: String { source }
}
