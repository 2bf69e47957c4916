/// One action of the resource processor, as the Collector's.
public struct ResourceAction: Hashable, Sendable {
  /// What is done.
  public enum Kind: String, CaseIterable, Sendable {
    /// Adds the attribute where it is absent.
    case insert
    /// Changes the attribute where it is present.
    case update
    /// Adds or changes it.
    case upsert
    /// Removes it.
    case delete
  }

  /// An attribute's value.
  public enum Value: Hashable, Sendable {
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
  }

  /// The attribute's key.
  public var key: String
  /// What is done.
  public var kind: Kind
  /// The value; `delete` needs none.
  public var value: Value?

  /// Makes an action. Everything but `delete` needs a value.
  public init(_ kind: Kind, key: String, value: Value? = nil) {
    precondition(kind == .delete || value != nil, "insert, update and upsert need a value")
    self.kind = kind
    self.key = key
    self.value = value
  }
}
