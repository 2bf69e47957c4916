/// The limits on baggage. They hold only where the section is there and does not say `enabled: false`.
public struct BaggageConfiguration: Sendable, Equatable {
  /// Entries of a span; those past it are dropped.
  public var maxCount = 10
  /// Bytes of an entry, its name and its value together; a longer one is dropped.
  public var maxLength = 1024
  /// Attributes whose keys begin so are baggage.
  public var prefix = "baggage."
  /// Attributes with these keys are baggage.
  public var keys: [String] = []
  /// Attributes that hold whole W3C baggage headers.
  public var headerAttributes = ["http.request.header.baggage"]
  /// Where not empty, only entries with these names pass.
  public var allow: [String] = []
  /// Entries with these names do not pass.
  public var deny: [String] = []

  /// The defaults: limits, and every name passes.
  public init() {}
}

extension BaggageConfiguration {
  /// What stands in `context`.
  static func readContext(_ section: SectionReader) -> BaggageConfiguration? {
    section.namedSection("baggage", read)
  }

  private static func read(_ section: SectionReader) -> BaggageConfiguration? {
    var value = BaggageConfiguration()
    let isEnabled = section["enabled"]?.boolean() ?? true
    _ = section.section("restrictions") { restrictions in
      value.maxCount = restrictions["maxCount"]?.integer(0 ... .max) ?? value.maxCount
      value.maxLength = restrictions["maxLength"]?.integer(0 ... .max) ?? value.maxLength
    }
    value.prefix = section["prefix"]?.string() ?? value.prefix
    value.keys = section["keys"]?.strings() ?? value.keys
    value.headerAttributes = section["header_attributes"]?.strings() ?? value.headerAttributes
    value.allow = section["allow"]?.strings() ?? value.allow
    value.deny = section["deny"]?.strings() ?? value.deny
    return isEnabled ? value : nil
  }
}
