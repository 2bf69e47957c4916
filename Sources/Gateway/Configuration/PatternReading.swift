internal import LinearRegex
internal import Policy
internal import TraceWire

extension Setting {
  /// A regular expression.
  func pattern() -> Pattern? {
    guard let source = string() else { return nil }
    do throws(PatternFault) {
      return try Pattern(source)
    } catch {
      fail("must be a regular expression (RE2 syntax), not \(shown): \(error)")
      return nil
    }
  }

  /// A regular expression whose named groups are wanted.
  func patternWithNames() -> Pattern? {
    guard let pattern = pattern() else { return nil }
    guard pattern.groups.contains(where: { $0 != nil }) else {
      fail("must have a named group such as (?P<name>...), not \(shown)")
      return nil
    }
    return pattern
  }

  /// A regular expression that takes at least one character.
  func patternOfSomething() -> Pattern? {
    guard let pattern = pattern() else { return nil }
    if pattern.matchesEmpty {
      fail("must not match the empty text, as \(shown) does")
      return nil
    }
    return pattern
  }

  func patterns() -> [Pattern] { joined(elements.compactMap { $0.pattern() }) }

  func patternsOfSomething() -> [Pattern] { joined(elements.compactMap { $0.patternOfSomething() }) }

  /// Patterns that fit into one program, in which they are looked for together.
  private func joined(_ patterns: [Pattern]) -> [Pattern] {
    if !patterns.isEmpty, (try? Pattern.union(patterns)) == nil {
      fail("has patterns that are too large together (at most \(Pattern.unionSizeMax) instructions)")
    }
    return patterns
  }

  /// An attribute's value; its type is the one it has in YAML.
  func attributeValue() -> AttributeValue? {
    scalar("a string, a number or a boolean") { scalar in
      guard scalar.isPlain else { return .string(scalar.text) }
      if let flag = scalar.boolean { return .bool(flag) }
      if let whole = scalar.integer { return .int(Int64(whole)) }
      if let number = scalar.number { return .double(number) }
      return .string(scalar.text)
    }
  }

  /// Whether it came from the environment.
  var isExpanded: Bool {
    if case .scalar(let scalar) = node.content { return scalar.isExpanded }
    return false
  }
}
