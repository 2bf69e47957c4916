internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import Logging
internal import TLSEngine
internal import Telemetry
internal import Transport

extension Exporter {
  /// Makes an exporter of its section of the configuration. Throws `StartFailure` when its TLS files are no good.
  convenience init(
    _ section: ExporterConfiguration, lanes: Int, ledger: SpanLedger, budget: ByteBudget, logger: Logger
  ) throws {
    let context = try section.tls.map { try Self.context($0, host: section.host, name: section.name) }
    let target = UpstreamTarget(
      host: section.host, port: section.port, tls: context.map { TLSContextSource($0) },
      connectTimeout: section.timeout)
    let retry = RetrySchedule(
      initialInterval: section.retry.initialInterval, maxInterval: section.retry.maxInterval,
      maxElapsedTime: section.retry.maxElapsedTime ?? .zero)
    self.init(
      name: section.name, target: target,
      options: ForwarderOptions(
        connections: max(1, (section.connections + lanes - 1) / lanes), requestTimeout: section.timeout, retry: retry),
      http2: HTTP2ClientLimits(),
      export: OTLPExport(
        authority: target.authority, isSecure: section.tls != nil, coding: section.compression.coding,
        headers: section.headers.map { ($0.name, $0.value.value) }),
      counters: ExporterCounters(name: section.name, lanes: lanes, capacity: ByteBudget(limit: section.queueBytesMax)),
      ledger: ledger, budget: budget, logger: logger)
  }

  private static func context(_ files: ClientTLSFiles, host: String, name: String) throws -> TLSContext {
    do {
      return try TLSContext(
        client: TLSClientConfiguration(
          serverName: files.serverNameOverride ?? host, authorities: files.authority.map { .file($0) },
          certificate: files.certificate.map { .file($0) }, key: files.key.map { .file($0) },
          minimumVersion: files.minVersion == .v1_2 ? .tls12 : .tls13))
    } catch {
      throw StartFailure(message: "TLS of exporter \(name): \(error)")
    }
  }

  /// Reads the certificates of a new configuration. Nothing is changed before the returned closure is called.
  func renewal(_ section: ExporterConfiguration) throws -> @Sendable () -> Void {
    guard let source = target.tls, let files = section.tls else { return {} }
    let context = try Self.context(files, host: section.host, name: section.name)
    return { source.replace(with: context) }
  }

  /// When the certificate this exporter shows expires, in seconds since the Unix epoch.
  var certificateExpiry: Int64? { target.tls?.current.certificateExpiry }
}

extension ExporterConfiguration.Compression {
  fileprivate var coding: ContentCoding {
    switch self {
    case .none: .identity
    case .gzip: .gzip
    case .zstd: .zstd
    }
  }
}
