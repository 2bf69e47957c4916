internal import LinearRegex

/// A pattern and a text, a zero byte between them: whatever they are, the work is in proportion to both, and the two
/// ways of matching agree.
enum PatternTarget {
  static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let source = String(decoding: parts.first ?? [], as: UTF8.self)
    let text = Array(parts.count > 1 ? parts[1] : [])
    guard source.utf8.count <= 200, text.count <= 2000, let pattern = try? Pattern(source) else { return }
    try check(pattern.size <= Pattern.sizeMax, "\(pattern.size) instructions")
    var matcher = Matcher(pattern)
    let isMatch = matcher.matches(text.span.bytes, in: 0..<text.count)
    let most = 4 * (pattern.size + 1) * (text.count + 2)
    try check(matcher.steps <= most, "\(matcher.steps) steps, at most \(most)")
    let isFound = matcher.find(text.span.bytes, in: 0..<text.count)
    try check(isFound == isMatch, "the automaton says \(isMatch), the simulation \(isFound)")
    try check(matcher.steps <= 3 * most, "\(matcher.steps) steps, at most \(3 * most)")
    let isAnyMatch = try succeeds("a union") { () -> Bool in
      var union = Matcher(try Pattern.union([pattern, pattern]))
      return union.matches(text.span.bytes, in: 0..<text.count)
    }
    try check(isAnyMatch == isMatch, "the union says \(isAnyMatch)")
    guard isFound else { return }
    guard let whole = matcher.capture(0) else { throw FuzzFinding("a match that is nowhere") }
    try check(whole.upperBound <= text.count, "a match past the text")
    if pattern.matchesEmpty == false { try check(!whole.isEmpty, "an empty match") }
    for group in pattern.groups.indices {
      guard let range = matcher.capture(group) else { continue }
      try check(
        range.lowerBound >= whole.lowerBound && range.upperBound <= whole.upperBound, "group \(group) outside the match"
      )
    }
  }
}
