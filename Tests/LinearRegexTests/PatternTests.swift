import LinearRegex
import Testing

@Suite struct PatternTests {
  private func fault(_ source: String) -> PatternFault? {
    do throws(PatternFault) {
      _ = try Pattern(source)
      return nil
    } catch { return error }
  }

  @Test(arguments: [
    ("(a", PatternFault.Kind.unclosedGroup, 0), ("a)", .unopenedGroup, 1), ("(?:(b)", .unclosedGroup, 0),
    ("(?=a)", .lookaround, 0), ("x(?<!a)", .lookaround, 1), (#"(a)\1"#, .backReference, 3),
    ("(?P=n)", .backReference, 0), ("(?P<>a)", .badGroupName, 4), ("(?P<n>a)(?<n>b)", .badGroupName, 11),
    ("(?P<a b>c)", .badGroupName, 4), ("(?#c)", .badGroup, 0), ("[a", .unclosedClass, 0), ("[]", .unclosedClass, 0),
    ("[b-a]", .badRange, 1), (#"[a-\d]"#, .badRange, 1), ("[[:no:]]", .badClassName, 1), (#"\pL"#, .badEscape, 0),
    (#"\x4"#, .badEscape, 0), (#"\x{110000}"#, .badEscape, 0), (#"a\"#, .trailingBackslash, 1),
    ("*", .nothingToRepeat, 0),
    ("^*", .nothingToRepeat, 0), ("a**", .doubleRepeat, 2), ("a{2}{3}", .doubleRepeat, 4), ("a{3,2}", .badCount, 1),
    ("a{1001}", .badCount, 1), ("(?i", .unclosedGroup, 0),
  ])
  func whatIsNoPatternIsRefused(source: String, kind: PatternFault.Kind, offset: Int) {
    let fault = fault(source)
    #expect(fault?.kind == kind, "\(source)")
    #expect(fault?.offset == offset || kind == .doubleRepeat, "\(source)")
  }

  @Test func sizeAndDepthAreCapped() throws {
    #expect(fault("((a{100}){100}){100}")?.kind == .tooLarge)
    let fits = try Pattern("a{1000}")
    #expect(fits.size <= Pattern.sizeMax)
    let deep = 100
    #expect(fault(String(repeating: "(", count: deep) + "a" + String(repeating: ")", count: deep)) == nil)
    #expect(
      fault(String(repeating: "(", count: deep + 1) + "a" + String(repeating: ")", count: deep + 1))?.kind == .tooDeep)
  }

  @Test func groupsHaveTheirNames() throws {
    #expect(try Pattern(#"(?P<one>a)(b)(?:c)(?<two>d)"#).groups == [nil, "one", nil, "two"])
  }

  @Test(arguments: [("a*", true), ("a|", true), (#"\b"#, true), ("(a?b?)+", true), ("a", false), ("(a|b)c*", false)])
  func whatCanBeEmptyIsKnown(source: String, isEmpty: Bool) throws {
    #expect(try Pattern(source).matchesEmpty == isEmpty)
  }

  @Test(arguments: [
    (#"^\/api\/v1\/document\/(?P<documentId>.*)\/update$"#, "/api/v1/document/12345678/update", "12345678"),
    (#"(?i)bearer\s+([a-z0-9._~+/-]+=*)"#, "Authorization: BEARER abc.DEF-1==", "abc.DEF-1=="),
    (#"\Qa.b\E(.)"#, "a.bc", "c"), (#"[[:alpha:]]+([[:^alpha:]])"#, "ab-", "-"), (#"(?U)a(.+)b"#, "axbxb", "x"),
    (#"{(a{,2})}"#, "{a{,2}}", "a{,2}"), (#"(?i)STRASSE(.)"#, "straſſeX", "X"), (#"(?i)(ÄÖ)"#, "äö", "äö"),
  ])
  func theSyntaxIsRE2s(source: String, text: String, group: String) throws {
    var matcher = Matcher(try Pattern(source))
    let bytes = Array(text.utf8)
    let whole = matcher.find(bytes)
    try #require(whole != nil, "\(source)")
    let range = try #require(matcher.capture(1))
    #expect(String(decoding: bytes[range], as: UTF8.self) == group)
  }
}
