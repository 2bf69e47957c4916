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
    let actions = section.sections(named: "resource") { $0.sections("attributes", AttributeAction.read) }
    rules.resource = actions.flatMap(\.self)
    rules.attributes = section.sections(named: "attributes") { section in
      SpanActionRules(section.sections("actions", AttributeAction.read), filter: SpanFilterRules.read(section))
    }
    rules.spanNames = section.sections(named: "span", SpanNameRules.read)
    rules.redactions = section.sections(named: "redaction", RedactionRules.read)
    value.rules = rules
    return value
  }
}
