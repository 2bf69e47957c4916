internal import LinearRegex
internal import Policy
internal import TraceWire

extension SpanNameRules {
  /// Reads `span`.
  static func read(_ section: SectionReader) -> SpanNameRules? {
    var rules = SpanNameRules()
    let name = section.required("name", "the span processor makes names; allowed: from_attributes, to_attributes")
    let isRead = name?.section { name -> Bool in
      rules.fromAttributes = name["from_attributes"]?.strings() ?? []
      rules.separator = name["separator"]?.scalar("a string") { $0.text } ?? ""
      _ = name.section("to_attributes") { section -> Bool in
        let setting = section.required("rules", "patterns with named groups")
        rules.toAttributes = setting?.elements.compactMap { $0.patternWithNames() } ?? []
        rules.breakAfterMatch = section["break_after_match"]?.boolean() ?? false
        rules.keepOriginalName = section["keep_original_name"]?.boolean() ?? false
        return true
      }
      if name["from_attributes"] == nil, name["to_attributes"] == nil {
        name.own.fail("must have from_attributes or to_attributes")
      }
      return true
    }
    rules.filter = SpanFilterRules.read(section)
    return isRead == true ? rules : nil
  }
}

extension SpanFilterRules {
  /// Reads `include` and `exclude` of a processor.
  static func read(_ section: SectionReader) -> SpanFilterRules {
    var rules = SpanFilterRules()
    rules.include = section.section("include", Properties.read)
    rules.exclude = section.section("exclude", Properties.read)
    return rules
  }
}

extension SpanFilterRules.Properties {
  private enum MatchType: String, CaseIterable {
    case strict
    case regexp
  }

  private static let kindNames = [
    "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
  ]

  static func read(_ section: SectionReader) -> SpanFilterRules.Properties? {
    var properties = SpanFilterRules.Properties()
    let type = section.required("match_type", "allowed: strict, regexp")?.choice(MatchType.self)
    let isPattern = type == .regexp
    properties.services = section["services"].map { texts($0, isPattern) }
    properties.names = section["span_names"].map { texts($0, isPattern) }
    for setting in section["span_kinds"]?.elements ?? [] {
      let number = setting.scalar("one of \(kindNames.joined(separator: ", "))") { kindNames.firstIndex(of: $0.text) }
      if let number { properties.kinds.insert(UInt8(truncatingIfNeeded: number + 1)) }
    }
    properties.attributes = section.sections("attributes") { attribute(isPattern, $0) }
    if ["services", "span_names", "span_kinds", "attributes"].allSatisfy({ section[$0] == nil }) {
      section.own.fail("must have at least one of services, span_names, span_kinds, attributes")
    }
    return type == nil ? nil : properties
  }

  private static func texts(_ setting: Setting, _ isPattern: Bool) -> Texts {
    isPattern ? .patterns(setting.patterns()) : .strict(setting.strings())
  }

  private static func attribute(_ isPattern: Bool, _ section: SectionReader) -> Attribute? {
    let key = section.required("key", "it names the attribute")?.string()
    guard let setting = section["value"] else { return key.map { Attribute(key: $0) } }
    let value =
      isPattern ? setting.pattern().map { Attribute.Value.matching($0) } : setting.attributeValue().map { .equal($0) }
    guard let key, let value else { return nil }
    return Attribute(key: key, value: value)
  }
}
