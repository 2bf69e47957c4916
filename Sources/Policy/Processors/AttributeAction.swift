public import LinearRegex
public import TraceWire

/// One action of the resource and attributes processors, as the Collector's.
public struct AttributeAction: Hashable, Sendable, CustomReflectable {
  /// What is done.
  public enum Kind: String, CaseIterable, Sendable {
    /// Adds the attribute where it is absent.
    case insert
    /// Changes the attribute where it is present.
    case update
    /// Adds or changes it.
    case upsert
    /// Removes it, and every attribute whose key matches the pattern.
    case delete
    /// Puts a hash in its value's place, and of every attribute whose key matches the pattern.
    case hash
    /// Makes attributes of the pattern's named groups, where the attribute's text matches.
    case extract
    /// Makes the value one of another type, where it can be read as such.
    case convert
  }

  /// The types of `convert`.
  public enum ValueType: String, CaseIterable, Sendable {
    case int
    case double
    case string
  }

  /// The attribute's key; nil where a pattern alone says which.
  public var key: String?
  /// What is done.
  public var kind: Kind
  /// The value of insert, update and upsert.
  public var value: AttributeValue?
  /// The key of the attribute whose value they take instead.
  public var fromAttribute: String?
  /// What they take where that attribute is absent.
  public var defaultValue: AttributeValue?
  /// Of keys for `delete` and `hash`, of the text for `extract`.
  public var pattern: Pattern?
  /// What `convert` makes of the value.
  public var convertedType: ValueType?
  /// The secret of `hash`; without one it is the plain SHA-256.
  public var hashKey: HashKey?
  /// Whether the value came from the environment, and so is not shown.
  public var isSecret = false

  /// Makes an action.
  public init(
    _ kind: Kind, key: String? = nil, value: AttributeValue? = nil, fromAttribute: String? = nil,
    defaultValue: AttributeValue? = nil, pattern: Pattern? = nil, convertedType: ValueType? = nil,
    hashKey: HashKey? = nil
  ) {
    self.kind = kind
    self.key = key
    self.value = value
    self.fromAttribute = fromAttribute
    self.defaultValue = defaultValue
    self.pattern = pattern
    self.convertedType = convertedType
    self.hashKey = hashKey
  }

  /// What it says, without what it does not, and without secrets.
  public var customMirror: Mirror {
    var children: [(String, Any)] = [("action", kind)]
    if let key { children.append(("key", key)) }
    if let value { children.append(("value", isSecret ? HashKey("") as Any : value as Any)) }
    if let fromAttribute { children.append(("fromAttribute", fromAttribute)) }
    if let defaultValue { children.append(("defaultValue", isSecret ? HashKey("") as Any : defaultValue as Any)) }
    if let pattern { children.append(("pattern", pattern)) }
    if let convertedType { children.append(("convertedType", convertedType)) }
    if let hashKey { children.append(("hashKey", hashKey)) }
    return Mirror(self, children: children.map { ($0.0, $0.1) }, displayStyle: .struct)
  }
}
