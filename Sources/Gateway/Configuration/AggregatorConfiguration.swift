/// All that an aggregator's configuration says; what it leaves out has its default.
public struct AggregatorConfiguration: Sendable, Equatable {
  public var receivers = ReceiversConfiguration()
  public var limits = LimitsConfiguration()
  /// Whose spans may be sent; nil where nobody asks.
  public var tenants: TenantsConfiguration?
  /// What the processors do to attributes and names.
  public var editing = EditingConfiguration()
  public var stitching = StitchingConfiguration()
  public var flow = FlowConfiguration()
  /// The back ends; none is fine, the flow metrics are there without.
  public var exporters: [ExporterConfiguration] = []
  public var admin = ListenerConfiguration(port: 8888)
  public var log = LogConfiguration()
  public var shutdownTimeout: Duration = .seconds(10)

  /// The defaults.
  public init() {}
}

extension AggregatorConfiguration {
  static func read(_ section: SectionReader) -> AggregatorConfiguration? {
    var value = AggregatorConfiguration()
    let process = ProcessConfiguration.read(section)
    value.admin = process.admin
    value.log = process.log
    value.shutdownTimeout = process.shutdownTimeout
    value.receivers =
      section.section("receivers") { ReceiversConfiguration.read($0, isRelay: false) } ?? value.receivers
    value.limits = section.section("limits", LimitsConfiguration.read) ?? value.limits
    value.tenants = section.namedSection("tenants", TenantsConfiguration.read)
    value.editing = section.section("processors") { EditingConfiguration.read($0, isRelay: false) } ?? value.editing
    value.stitching = section.section("stitching", StitchingConfiguration.read) ?? value.stitching
    value.flow = section.section("flow", FlowConfiguration.read) ?? value.flow
    value.exporters =
      section.section("exporters") { ExporterConfiguration.readAll($0, isRelay: false) } ?? []
    // A request is held twice for a moment: as it came, and for the shards that read it.
    value.limits.warn(
      ofMemory: value.stitching.memoryLimitBytes / 8 * 7 / 2, from: "stitching.memory_limit_mib", in: section)
    if value.receivers == ReceiversConfiguration() { section.own.warnOfNoReceiver() }
    return value
  }
}
