public import LinearRegex
public import TraceWire

/// What the processors of a role are to do, compiled; everything empty changes nothing. They run in this order, and
/// several of one kind in theirs.
public struct ProcessorRules: Hashable, Sendable {
  /// What is known of the machine and the pod: attributes that resources get.
  public var detected: [DetectedAttribute] = []
  /// Actions on the attributes of resources, carried out in their order.
  public var resource: [AttributeAction] = []
  /// Actions on the attributes of spans.
  public var attributes: [SpanActionRules] = []
  /// What becomes of spans' names.
  public var spanNames: [SpanNameRules] = []
  /// What is taken out of everything that has attributes.
  public var redactions: [RedactionRules] = []

  /// Rules that change nothing.
  public init() {}

  /// Whether spans and scopes stay as they are.
  var leavesSpans: Bool { attributes.isEmpty && spanNames.isEmpty && redactions.isEmpty }
}

/// An attribute that every resource gets.
public struct DetectedAttribute: Hashable, Sendable {
  /// The attribute's key.
  public var key: String
  /// Its value.
  public var value: AttributeValue
  /// Whether it replaces what the resource says.
  public var overrides: Bool

  /// Makes an attribute.
  public init(key: String, value: AttributeValue, overrides: Bool = false) {
    self.key = key
    self.value = value
    self.overrides = overrides
  }
}

/// Actions on the attributes of some spans, carried out in their order.
public struct SpanActionRules: Hashable, Sendable {
  public var actions: [AttributeAction]
  /// Which spans they are for.
  public var filter: SpanFilterRules

  /// Makes actions.
  public init(_ actions: [AttributeAction], filter: SpanFilterRules = SpanFilterRules()) {
    self.actions = actions
    self.filter = filter
  }
}

/// What becomes of spans' names, as in the Collector's span processor.
public struct SpanNameRules: Hashable, Sendable {
  /// A name is made of these attributes' values, where a span has all of them.
  public var fromAttributes: [String] = []
  /// What stands between the values.
  public var separator = ""
  /// Where a name matches, the named groups become attributes, and their names in braces stand in the name instead.
  public var toAttributes: [Pattern] = []
  /// Whether the first pattern that matches is the last.
  public var breakAfterMatch = false
  /// Whether the name stays as it was.
  public var keepOriginalName = false
  /// Which spans it is for.
  public var filter = SpanFilterRules()

  /// Rules that change nothing.
  public init() {}
}

/// Which spans a processor is for, as in the Collector: those that `include` matches and `exclude` does not.
public struct SpanFilterRules: Hashable, Sendable {
  /// Properties of a span. All lists that are not empty must match; a list matches where one of its entries does, but
  /// all attributes must.
  public struct Properties: Hashable, Sendable {
    /// Whole texts, or patterns.
    public enum Texts: Hashable, Sendable {
      case strict([String])
      case patterns([Pattern])
    }

    /// An attribute that a span must have.
    public struct Attribute: Hashable, Sendable {
      /// What its value must be.
      public enum Value: Hashable, Sendable {
        case any
        case equal(AttributeValue)
        case matching(Pattern)
      }
      public var key: String
      public var value: Value

      /// Makes a condition.
      public init(key: String, value: Value = .any) {
        self.key = key
        self.value = value
      }
    }

    /// Names of services.
    public var services: Texts?
    /// Names of spans.
    public var names: Texts?
    /// Kinds of spans; empty for all.
    public var kinds: Set<UInt8> = []
    public var attributes: [Attribute] = []

    /// Properties that every span has.
    public init() {}
  }

  public var include: Properties?
  public var exclude: Properties?

  /// A filter that takes every span.
  public init() {}
}

/// What is taken out of attributes, as in the Collector's redaction processor.
public struct RedactionRules: Hashable, Sendable {
  /// What is told of it in attributes of its own.
  public enum Summary: String, CaseIterable, Sendable {
    /// Keys and how many.
    case debug
    /// How many.
    case info
    /// Nothing.
    case silent
  }

  /// Whether `allowedKeys` means nothing.
  public var allowsAllKeys = false
  /// Attributes with other keys are removed.
  public var allowedKeys: [String] = []
  /// Attributes with these keys are not looked at.
  public var ignoredKeys: [String] = []
  public var ignoredKeyPatterns: [Pattern] = []
  /// Values of attributes whose keys match are masked whole.
  public var blockedKeyPatterns: [Pattern] = []
  /// What matches in a value is masked.
  public var blockedValues: [Pattern] = []
  /// Values that match are not looked at any further.
  public var allowedValues: [Pattern] = []
  /// Whether numbers and truth values are looked at as the texts they are written as.
  public var redactsAllTypes = false
  /// What stands for what was masked is a hash of it; nil for asterisks.
  public var hashKey: HashKey?
  public var summary = Summary.silent

  /// The keys that are never redacted, for facts are made of them: regions, services, errors.
  public static let keptKeys = Set(Redactor.protectedKeys.map { String(decoding: $0, as: UTF8.self) })

  /// Rules that remove every attribute: none is allowed.
  public init() {}
}
