public import TraceWire

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

  /// The attribute's key.
  public var key: String
  /// What is done.
  public var kind: Kind
  /// The value; `delete` needs none.
  public var value: AttributeValue?

  /// Makes an action. Everything but `delete` needs a value.
  public init(_ kind: Kind, key: String, value: AttributeValue? = nil) {
    precondition(kind == .delete || value != nil, "insert, update and upsert need a value")
    self.kind = kind
    self.key = key
    self.value = value
  }
}
