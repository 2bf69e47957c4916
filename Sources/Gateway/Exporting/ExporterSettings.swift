internal import Compression
internal import Delivery
internal import HTTP2Engine
internal import TLSEngine
internal import Transport

/// What an exporter's section of the configuration says, as its lanes use it. A reload makes another.
struct ExporterSettings: Sendable {
  let section: ExporterConfiguration
  let target: UpstreamTarget
  let options: ForwarderOptions
  let http2 = HTTP2ClientLimits()
  let export: OTLPExport
  /// The heads of requests by their message's coding.
  let requests: [ContentCoding: ClientRequest]

  /// Reads the section's TLS files. Throws `StartFailure` when they are no good.
  init(_ section: ExporterConfiguration, lanes: Int) throws {
    let context = try section.tls.map { try Self.context($0, host: section.host, name: section.name) }
    self.section = section
    target = UpstreamTarget(
      host: section.host, port: section.port, tls: context.map { TLSContextSource($0) },
      connectTimeout: section.timeout)
    let retry = RetrySchedule(
      initialInterval: section.retry.initialInterval, maxInterval: section.retry.maxInterval,
      maxElapsedTime: section.retry.maxElapsedTime ?? .zero)
    options = ForwarderOptions(
      connections: max(1, (section.connections + lanes - 1) / lanes), requestTimeout: section.timeout, retry: retry)
    let export = OTLPExport(
      authority: target.authority, isSecure: section.tls != nil, coding: section.compression.coding,
      headers: section.headers.map { ($0.name, $0.value.value) })
    self.export = export
    requests = Dictionary(uniqueKeysWithValues: ContentCoding.allCases.map { ($0, export.request($0)) })
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

  /// Whether connections made for these settings are as good for others.
  func leadsToSamePlace(as other: ExporterSettings) -> Bool {
    section.host == other.section.host && section.port == other.section.port && section.tls == other.section.tls
  }
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
