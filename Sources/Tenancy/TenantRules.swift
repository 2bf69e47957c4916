/// How much a tenant may send.
public struct TenantLimits: Sendable, Equatable {
  /// Spans a second; nil for any number.
  public var spansPerSecond: Double?
  /// Bytes of OTLP a second, decompressed; nil for any number.
  public var bytesPerSecond: Double?
  /// A tenant that sent nothing for so long may send as much at once as in this time.
  public var burst: Duration

  /// Limits; none by default.
  public init(spansPerSecond: Double? = nil, bytesPerSecond: Double? = nil, burst: Duration = .seconds(1)) {
    self.spansPerSecond = spansPerSecond
    self.bytesPerSecond = bytesPerSecond
    self.burst = burst
  }
}

/// What holds for tenants: a configuration's `tenants` section.
public struct TenantRules: Sendable {
  /// The name of the header field, in lower case.
  public var header: String
  /// Whether a request without the header is refused.
  public var isRequired: Bool
  /// Whose the spans of a request without the header are; nil for nobody's.
  public var fallback: String?
  /// How many tenants there may be.
  public var tenantsMax: Int
  /// How much each may send.
  public var limits: TenantLimits
  /// What holds in place of that for some. They are known from the start: others cannot take their places.
  public var overrides: [String: TenantLimits]

  /// Rules by which anybody may send as anybody.
  public init(
    header: String = "x-scope-orgid", isRequired: Bool = false, fallback: String? = nil, tenantsMax: Int = 1000,
    limits: TenantLimits = TenantLimits(), overrides: [String: TenantLimits] = [:]
  ) {
    self.header = header
    self.isRequired = isRequired
    self.fallback = fallback
    self.tenantsMax = tenantsMax
    self.limits = limits
    self.overrides = overrides
  }

  /// How much a tenant may send.
  func limits(of name: String) -> TenantLimits { overrides[name] ?? limits }
}
