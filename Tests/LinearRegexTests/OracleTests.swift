import Foundation
import LinearRegex
import Testing

/// The same patterns and texts as Python's `re` was asked about (`Oracle/cases.py`).
@Suite struct OracleTests {
  private struct Case: Decodable {
    var pattern: String
    var text: String
    /// Start and end of the match and of each group; -1 where it took no part.
    var spans: [[Int]]?

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      pattern = try list.decode(String.self)
      text = try list.decode(String.self)
      spans = try list.decodeIfPresent([[Int]].self)
    }
  }

  private func cases() throws -> [Case] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Oracle/cases.jsonl")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
      try JSONDecoder().decode(Case.self, from: Data($0.utf8))
    }
  }

  @Test func everyMatchAndEveryGroupIsWherePythonFindsIt() throws {
    let cases = try cases()
    #expect(cases.count >= 3000)
    #expect(cases.count { $0.spans == nil } > 100, "texts without a match are among them")
    for example in cases {
      let pattern = try Pattern(example.pattern)
      var matcher = Matcher(pattern)
      let text = Array(example.text.utf8)
      let isMatch = matcher.matches(text.span.bytes, in: 0..<text.count)
      #expect(isMatch == (example.spans != nil), "\(example.pattern) on \(example.text)")
      guard matcher.find(text.span.bytes, in: 0..<text.count) else { continue }
      let spans = pattern.groups.indices.map { group in
        matcher.capture(group).map { [$0.lowerBound, $0.upperBound] } ?? [-1, -1]
      }
      #expect(spans == example.spans, "\(example.pattern) on \(example.text)")
    }
  }

  /// A text inside another one: what lies around it is not seen.
  @Test func aRangeIsATextOfItsOwn() throws {
    for example in try cases() {
      var matcher = Matcher(try Pattern(example.pattern))
      let text = Array(example.text.utf8)
      let padded = Array("aé".utf8) + text + Array("éa".utf8)
      let range = 3..<3 + text.count
      #expect(
        matcher.matches(padded.span.bytes, in: range) == (example.spans != nil),
        "\(example.pattern) on \(example.text)")
      guard matcher.find(padded.span.bytes, in: range), let whole = matcher.capture(0) else { continue }
      #expect([whole.lowerBound - 3, whole.upperBound - 3] == example.spans?[0])
    }
  }

  /// Several in one: a match of any is one of the union.
  @Test func aUnionMatchesWhereOneOfItsPatternsDoes() throws {
    let cases = try cases()
    for first in stride(from: 0, to: cases.count - 5, by: 5) {
      let group = cases[first..<first + 5]
      let patterns = try group.map { try Pattern($0.pattern) }
      var union = Matcher(try Pattern.union(patterns))
      for example in group {
        let text = Array(example.text.utf8)
        let isAny = patterns.contains { pattern in
          var matcher = Matcher(pattern)
          return matcher.matches(text.span.bytes, in: 0..<text.count)
        }
        #expect(union.matches(text.span.bytes, in: 0..<text.count) == isAny, "\(group.map(\.pattern))")
      }
    }
  }
}
