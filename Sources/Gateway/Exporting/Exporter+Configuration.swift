internal import Delivery
internal import Logging
internal import TLSEngine
internal import Telemetry
internal import Transport

extension Exporter {
  /// Makes an exporter of its section of the configuration. Throws `StartFailure` when its TLS files are no good.
  convenience init(
    _ section: ExporterConfiguration, tenantHeader: String, lanes: Int, ledger: SpanLedger?, budget: ByteBudget,
    logger: Logger
  ) throws {
    self.init(
      try ExporterSettings(section, tenantHeader: tenantHeader, lanes: lanes, memoryBytes: budget.limit),
      counters: ExporterCounters(name: section.name, lanes: lanes, capacity: ByteBudget(limit: section.queueBytesMax)),
      ledger: ledger, budget: budget, logger: logger)
  }

  /// Its lanes, one on each event loop.
  func lanes(on threads: RoleLoops) async throws -> PerLoop<ExporterLane> {
    try await PerLoop(on: threads.all) { [self] loop, number in
      ExporterLane(self, number: number, loop: loop, bulk: threads.bulk[number], seed: .random(in: .min ... .max))
    }
  }

  /// Makes ready what another section says, certificates read anew. Nothing is changed before the returned change is
  /// carried out; throws `StartFailure` when the TLS files are no good.
  func change(to section: ExporterConfiguration, on lanes: PerLoop<ExporterLane>) throws -> PreparedChange {
    let settings = try ExporterSettings(
      section, tenantHeader: self.settings.tenantHeader, lanes: lanes.count, memoryBytes: budget.limit)
    return { [self] in
      adopt(settings)
      counters.capacity.resize(limit: section.queueBytesMax)
      _ = await lanes.map { $0.adopt(settings) }
    }
  }

  /// When the certificate this exporter shows expires, in seconds since the Unix epoch.
  var certificateExpiry: Int64? { settings.certificateExpiry }
}
