internal import LinearRegex
internal import Policy

extension RedactionRules {
  /// Reads `redaction`, of all spans or of a route's.
  static func read(_ section: SectionReader) -> RedactionRules? {
    var rules = RedactionRules()
    rules.allowsAllKeys = section["allow_all_keys"]?.boolean() ?? false
    rules.allowedKeys = section["allowed_keys"]?.strings() ?? []
    rules.ignoredKeys = section["ignored_keys"]?.strings() ?? []
    rules.ignoredKeyPatterns = section["ignored_key_patterns"]?.patterns() ?? []
    rules.blockedKeyPatterns = section["blocked_key_patterns"]?.patterns() ?? []
    rules.blockedValues = section["blocked_values"]?.patternsOfSomething() ?? []
    rules.allowedValues = section["allowed_values"]?.patterns() ?? []
    rules.redactsAllTypes = section["redact_all_types"]?.boolean() ?? false
    rules.summary = section["summary"]?.choice(Summary.self) ?? .silent
    rules.hashKey = readHash(section)
    if !rules.allowsAllKeys, rules.allowedKeys.isEmpty {
      section.own.warn("allows no key: every attribute is removed (allow_all_keys: true lets them pass)")
    }
    return rules
  }

  /// A hash without a key is undone by hashing every card number there is, so there is none here.
  private static func readHash(_ section: SectionReader) -> HashKey? {
    let function = section["hash_function"]?.choice(HashKey.Function.self)
    // The Collector's name of it is `hmac_key`.
    let key = section["hash_key"] ?? section["hmac_key"]
    if section["hash_function"] != nil, key == nil {
      _ = section.required("hash_key", "hash_function needs one: hashes without a key can be undone by trying")
      return nil
    }
    return key?.string().map { HashKey($0, function ?? .hmacSHA256) }
  }
}
