internal import LinearRegex
internal import Policy
internal import TraceWire

extension AttributeAction {
  /// Reads an action of the resource or the attributes processor.
  static func read(_ section: SectionReader) -> AttributeAction? {
    let allowed = "allowed: \(Kind.allCases.map(\.rawValue).joined(separator: ", "))"
    let kind = section.required("action", allowed)?.choice(Kind.self)
    let keySetting = section["key"]
    var action = AttributeAction(kind ?? .delete, key: keySetting?.string())
    let isWhole =
      switch kind {
      case .insert, .update, .upsert: action.readValue(section)
      case .delete, .hash: action.readKeyPattern(section)
      case .extract: action.readExtract(section)
      case .convert: action.readConversion(section)
      case nil: action.askForEverything(section)
      }
    guard let kind, isWhole, keySetting == nil || action.key != nil else { return nil }
    action.refuse(section, kind)
    return action
  }

  private static let valueKeys = ["value", "from_attribute", "default_value"]

  /// So that no key is called unknown where it is the action that is wrong.
  private func askForEverything(_ section: SectionReader) -> Bool {
    for key in Self.valueKeys + ["pattern", "converted_type", "hash_key"] { _ = section[key] }
    return false
  }

  /// Tells of keys that another action would take.
  private func refuse(_ section: SectionReader, _ kind: Kind) {
    let others: [String] =
      switch kind {
      case .insert, .update, .upsert: ["pattern", "converted_type", "hash_key"]
      case .delete: Self.valueKeys + ["converted_type", "hash_key"]
      case .hash: Self.valueKeys + ["converted_type"]
      case .extract: Self.valueKeys + ["converted_type", "hash_key"]
      case .convert: Self.valueKeys + ["pattern", "hash_key"]
      }
    for key in others { section[key]?.fail("\(kind.rawValue) takes no \(key)") }
  }

  private static func requireKey(_ section: SectionReader) -> Bool {
    section.required("key", "it names the attribute") != nil
  }

  private mutating func readValue(_ section: SectionReader) -> Bool {
    let hasKey = Self.requireKey(section)
    if let setting = section["value"] {
      value = setting.attributeValue()
      isSecret = setting.isExpanded
    }
    fromAttribute = section["from_attribute"]?.string()
    if let setting = section["default_value"] {
      defaultValue = setting.attributeValue()
      isSecret = isSecret || setting.isExpanded
    }
    guard section["value"] != nil || section["from_attribute"] != nil || defaultValue != nil else {
      _ = section.required("value", "\(kind.rawValue) needs one, or from_attribute")
      return false
    }
    if section["value"] != nil, let other = section["from_attribute"] {
      other.fail("stands beside value; allowed is one of them")
      return false
    }
    return hasKey && (value != nil || fromAttribute != nil || defaultValue != nil)
  }

  private mutating func readKeyPattern(_ section: SectionReader) -> Bool {
    pattern = section["pattern"]?.pattern()
    if kind == .hash, let setting = section["hash_key"] ?? section["hmac_key"] {
      hashKey = setting.string().map { HashKey($0) }
      if hashKey == nil { return false }
    }
    if section["key"] == nil, section["pattern"] == nil {
      _ = section.required("key", "it names the attribute; \(kind.rawValue) takes a pattern of keys, too")
      return false
    }
    return section["pattern"] == nil || pattern != nil
  }

  private mutating func readExtract(_ section: SectionReader) -> Bool {
    let hasKey = Self.requireKey(section)
    pattern = section.required("pattern", "extract needs one with named groups")?.patternWithNames()
    return hasKey && pattern != nil
  }

  private mutating func readConversion(_ section: SectionReader) -> Bool {
    let hasKey = Self.requireKey(section)
    let allowed = "allowed: \(ValueType.allCases.map(\.rawValue).joined(separator: ", "))"
    convertedType = section.required("converted_type", allowed)?.choice(ValueType.self)
    return hasKey && convertedType != nil
  }
}
