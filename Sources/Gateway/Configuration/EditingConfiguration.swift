public import Policy

/// What the processors do to attributes and names, on both roles.
public struct EditingConfiguration: Sendable, Equatable {
  /// All but what is detected, which is known only when the role starts or reloads.
  public var rules = ProcessorRules()
  /// What the machine and the pod are asked for.
  public var detection = DetectionConfiguration()

  /// Nothing is done.
  public init() {}
}

extension EditingConfiguration {
  /// Reads what stands in `processors`. An aggregator's memory limit and batches are `stitching`'s and the exporters'.
  static func read(_ section: SectionReader, isRelay: Bool = true) -> EditingConfiguration {
    var value = EditingConfiguration()
    var rules = ProcessorRules()
    value.detection = DetectionConfiguration.read(section)
    rules.resource = section.section("resource") { $0.sections("attributes", AttributeAction.read) } ?? []
    _ = section.section("attributes") { section -> Bool in
      rules.attributes = section.sections("actions", AttributeAction.read)
      rules.attributesFilter = SpanFilterRules.read(section)
      return true
    }
    rules.spanName = section.section("span", SpanNameRules.read)
    rules.redaction = section.section("redaction", RedactionRules.read)
    value.rules = rules
    return value
  }
}
