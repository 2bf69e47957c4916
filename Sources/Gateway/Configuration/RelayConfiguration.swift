/// All that a relay's configuration says; what it leaves out has its default.
public struct RelayConfiguration: Sendable, Equatable {
  /// How a peer's context is written.
  public enum Propagation: String, CaseIterable, Sendable {
    case w3c
  }

  /// The relay's own region.
  public var region: String
  public var receivers = ReceiversConfiguration()
  public var limits = LimitsConfiguration()
  /// Whose spans may be sent; nil where nobody asks.
  public var tenants: TenantsConfiguration?
  public var memoryLimiter = MemoryLimiterConfiguration()
  /// What the processors do to attributes and names.
  public var editing = EditingConfiguration()
  public var batch = BatchConfiguration()
  public var propagation = Propagation.w3c
  public var sampling = SamplingConfiguration()
  /// Nil where no limits hold.
  public var baggage: BaggageConfiguration?
  public var routes: [RouteConfiguration] = []
  public var regions: [RegionConfiguration] = []
  /// The aggregator.
  public var exporter: ExporterConfiguration
  /// What gets beside it whatever is forwarded.
  public var localExporters: [ExporterConfiguration] = []
  public var admin = ListenerConfiguration(port: 8888)
  public var log = LogConfiguration()
  public var shutdownTimeout: Duration = .seconds(10)

  /// The defaults for a region and an aggregator.
  public init(region: String, exporter: ExporterConfiguration) {
    self.region = region
    self.exporter = exporter
  }
}

extension RelayConfiguration {
  static func read(_ section: SectionReader) -> RelayConfiguration? {
    let region = section.required("region", "the region this relay runs in")?.regionName()
    var value = RelayConfiguration(
      region: region ?? "", exporter: ExporterConfiguration(name: "otlp", host: "", port: 0))
    let process = ProcessConfiguration.read(section)
    value.admin = process.admin
    value.log = process.log
    value.shutdownTimeout = process.shutdownTimeout
    value.receivers = section.section("receivers") { ReceiversConfiguration.read($0, isRelay: true) } ?? value.receivers
    value.limits = section.section("limits", LimitsConfiguration.read) ?? value.limits
    value.tenants = section.namedSection("tenants", TenantsConfiguration.read)
    let processors = section.section("processors", ProcessorsConfiguration.read) ?? ProcessorsConfiguration()
    value.memoryLimiter = processors.memoryLimiter
    value.editing = processors.editing
    value.batch = processors.batch
    value.propagation = section.section("propagation") { $0["type"]?.choice(Propagation.self) } ?? value.propagation
    value.sampling = section.section("sampling", SamplingConfiguration.read) ?? value.sampling
    value.baggage = section.section("context", BaggageConfiguration.readContext)
    value.routes = section.sections("routes", RouteConfiguration.read)
    value.regions = section.sections("regions", RegionConfiguration.read)
    let exporters = readExporters(section)
    if value.receivers == ReceiversConfiguration() { section.own.warnOfNoReceiver() }
    value.limits.warn(
      ofMemory: value.memoryLimiter.limitBytes - value.memoryLimiter.spikeLimitBytes,
      from: "processors.memory_limiter", in: section)
    guard region != nil, let exporters else { return nil }
    (value.exporter, value.localExporters) = exporters
    return value
  }

  private static func readExporters(
    _ section: SectionReader
  ) -> (aggregator: ExporterConfiguration, local: [ExporterConfiguration])? {
    let setting = section.required("exporters", "a relay needs `otlp`, the aggregator it sends to")
    guard let setting else { return nil }
    let all = setting.section { ExporterConfiguration.readAll($0, isRelay: true) } ?? []
    guard case .mapping(let members) = setting.node.content,
      let aggregator = ExporterConfiguration.aggregatorName(members.map(\.key))
    else {
      setting.fail("must have `otlp`, the aggregator; any others are local exporters beside it")
      return nil
    }
    guard let exporter = all.first(where: { $0.name == aggregator }) else { return nil }
    return (exporter, all.filter { $0.name != aggregator })
  }
}

extension Setting {
  func warnOfNoReceiver() {
    log.warning(node.place, "receivers", "names no receiver that is served: no span can come in")
  }
}
