internal import Tenancy

/// Whose spans may be sent, and how many (`tenants`). Where the section is missing nobody asks whose they are.
public struct TenantsConfiguration: Sendable, Equatable {
  /// How much one tenant may send; nil is any number.
  public struct Limits: Sendable, Equatable {
    public var spansPerSecond: Double?
    /// Of OTLP, decompressed.
    public var bytesPerSecond: Double?
    /// What a tenant that was silent may send at once, as the time in which it may send as much.
    public var burst: Duration = .seconds(1)

    /// No limits.
    public init() {}
  }

  /// Limits of a tenant's own.
  public struct Override: Sendable, Equatable {
    public var name: String
    public var limits: Limits
  }

  /// The header field that names the tenant, as the user writes it.
  public var header = "X-Scope-OrgID"
  /// Whether a request must have it.
  public var required = false
  /// Whose the spans of a request without it are.
  public var `default`: String?
  /// How many tenants there may be.
  public var max = 1000
  public var limits = Limits()
  public var overrides: [Override] = []

  /// The defaults.
  public init() {}
}

extension TenantsConfiguration {
  private static let overridesMax = 10_000

  static func read(_ section: SectionReader) -> TenantsConfiguration? {
    var value = TenantsConfiguration()
    value.header = section["header"]?.tenantHeader() ?? value.header
    let required = section["required"]
    value.required = required?.boolean() ?? value.required
    value.default = section["default"]?.tenantName()
    if value.required, value.default != nil {
      required?.fail("true means that nobody may leave the header out, which default contradicts")
    }
    value.max = section["max"]?.integer(1...50_000) ?? value.max
    value.limits = section.section("limits") { Limits.read($0, on: Limits()) } ?? value.limits
    let overrides = section["overrides"]
    value.overrides = overrides?.section { Override.readAll($0, on: value.limits) } ?? []
    if value.overrides.count > min(overridesMax, value.max) {
      overrides?.fail("has more tenants than max, which is \(value.max), or than \(overridesMax)")
    }
    return value
  }

  /// The same in Tenancy's own words.
  var rules: TenantRules {
    TenantRules(
      header: header.lowercased(), isRequired: required, fallback: `default`, tenantsMax: max,
      limits: limits.tenantLimits,
      overrides: Dictionary(overrides.map { ($0.name, $0.limits.tenantLimits) }) { $1 })
  }
}

extension TenantsConfiguration.Limits {
  /// What is not said is as in `standard`.
  fileprivate static func read(_ section: SectionReader, on standard: Self) -> Self? {
    var value = standard
    if let rate = section["spans_per_second"]?.rate() { value.spansPerSecond = rate > 0 ? rate : nil }
    if let rate = section["bytes_per_second"]?.rate() { value.bytesPerSecond = rate > 0 ? rate : nil }
    value.burst = section["burst"]?.duration(atLeast: .milliseconds(10)) ?? standard.burst
    return value
  }

  fileprivate var tenantLimits: TenantLimits {
    TenantLimits(spansPerSecond: spansPerSecond, bytesPerSecond: bytesPerSecond, burst: burst)
  }
}

extension TenantsConfiguration.Override {
  fileprivate static func readAll(_ section: SectionReader, on standard: TenantsConfiguration.Limits) -> [Self]? {
    section.all().compactMap { name, setting in
      guard TenantName.read(Array(name.utf8)) != nil else {
        setting.fail("is not a tenant's name: 1 to 150 letters, digits and ! - _ . * ' ( )")
        return nil
      }
      return setting.section { TenantsConfiguration.Limits.read($0, on: standard) }.map { Self(name: name, limits: $0) }
    }
  }
}

extension Setting {
  /// So many a second; 0 for any number.
  fileprivate func rate() -> Double? {
    scalar("a number from 0, which is no limit, to 1e15") { scalar in
      scalar.number.flatMap { (0...1e15).contains($0) ? $0 : nil }
    }
  }

  /// A tenant's name, which may look like a number.
  fileprivate func tenantName() -> String? {
    scalar("a tenant's name: 1 to 150 letters, digits and ! - _ . * ' ( )") { scalar in
      TenantName.read(Array(scalar.text.utf8))
    }
  }

  fileprivate func tenantHeader() -> String? {
    scalar("a header field that clients can set, whose name does not end with -bin") { scalar in
      let name = scalar.text.lowercased()
      let isOwn = name == "authorization" || name == "longspan-batch"
      guard ExporterConfiguration.Header.canBeSet(name), !isOwn, !name.hasSuffix("-bin") else { return nil }
      return scalar.text
    }
  }
}
