internal import Compression
internal import Delivery
internal import Formats
internal import HTTP2Engine
internal import TLSEngine
internal import Transport

/// What an exporter's section of the configuration says, as its lanes use it. A reload makes another.
struct ExporterSettings: Sendable {
  /// What links lead to.
  enum Destination: Sendable {
    case server(UpstreamTarget)
    case file(OutputFile)
    case log
  }

  let section: ExporterConfiguration
  /// The header field that says whose a batch is.
  let tenantHeader: String
  let destination: Destination
  let options: ForwarderOptions
  let http2: HTTP2ClientLimits
  let dialect: any ExportDialect

  /// The most that is in flight on one connection: what a link of 1 Gbit/s and a quarter of a second holds.
  private static let bytesPerConnectionMax = 32 << 20

  /// Reads the section's TLS files. Throws `StartFailure` when they are no good. What is in flight may take an eighth of
  /// the memory.
  init(_ section: ExporterConfiguration, tenantHeader: String, lanes: Int, memoryBytes: Int) throws {
    self.section = section
    self.tenantHeader = tenantHeader
    // The bulk API's answer has something to say of every document.
    if case .elasticsearch = section.kind {
      http2 = HTTP2ClientLimits(responseBytesMax: ElasticsearchResults.responseBytesMax)
    } else {
      http2 = HTTP2ClientLimits()
    }
    let retry = RetrySchedule(
      initialInterval: section.retry.initialInterval, maxInterval: section.retry.maxInterval,
      maxElapsedTime: section.retry.maxElapsedTime ?? .zero)
    let connections = max(1, (section.connections + lanes - 1) / lanes)
    var options = ForwarderOptions(
      connections: connections,
      bytesPerConnection: min(memoryBytes / 8 / (connections * lanes), Self.bytesPerConnectionMax),
      requestTimeout: section.timeout, retry: retry)
    switch section.kind {
    case .debug(let debug):
      destination = .log
      dialect = DebugExport(verbosity: debug.verbosity)
    case .file(let file):
      destination = .file(OutputFile(file))
      dialect = FileExport()
    case .otlp, .otlpHTTP, .zipkin, .elasticsearch:
      let target = try Self.target(section)
      destination = .server(target)
      dialect = Self.dialect(section, authority: target.authority, tenantHeader: tenantHeader)
    }
    if !section.kind.hasServer {
      // Nobody answers late here: what a slow disk is given twice would be there twice.
      (options.connections, options.requestTimeout) = (1, .seconds(3600))
    }
    self.options = options
  }

  private static func dialect(
    _ section: ExporterConfiguration, authority: String, tenantHeader: String
  ) -> any ExportDialect {
    var headers = section.headers.map { (name: $0.name, value: $0.value.value) }
    let coding = section.compression.coding
    func heads(_ path: String, _ contentType: String) -> HTTPRequestHeads {
      HTTPRequestHeads(
        authority: authority, isSecure: section.tls != nil, path: path, contentType: contentType, headers: headers,
        tenantHeader: tenantHeader)
    }
    switch section.kind {
    case .otlpHTTP(let url):
      return OTLPHTTPExport(coding: coding, heads: heads(url.target, "application/x-protobuf"))
    case .zipkin(let url): return ZipkinExport(coding: coding, heads: heads(url.target, "application/json"))
    case .elasticsearch(let server):
      if let authorization = server.authorization { headers.append(("authorization", authorization.value)) }
      return ElasticsearchExport(
        server, coding: coding,
        heads: heads(ElasticsearchExport.target(below: server.basePath), "application/x-ndjson"))
    case .otlp, .debug, .file:
      return OTLPExport(
        authority: authority, isSecure: section.tls != nil, coding: coding, headers: headers,
        tenantHeader: tenantHeader)
    }
  }

  private static func target(_ section: ExporterConfiguration) throws -> UpstreamTarget {
    let protocols: UpstreamTarget.Protocols = section.kind == .otlp ? .http2 : .http1OrHTTP2
    let context = try section.tls.map { try Self.context($0, protocols, host: section.host, name: section.name) }
    return UpstreamTarget(
      host: section.host, port: section.port, tls: context.map { TLSContextSource($0) }, protocols: protocols,
      connectTimeout: section.timeout)
  }

  private static func context(
    _ files: ClientTLSFiles, _ protocols: UpstreamTarget.Protocols, host: String, name: String
  ) throws -> TLSContext {
    do {
      return try TLSContext(
        client: TLSClientConfiguration(
          serverName: files.serverNameOverride ?? host, authorities: files.authority.map { .file($0) },
          certificate: files.certificate.map { .file($0) }, key: files.key.map { .file($0) },
          minimumVersion: files.minVersion == .v1_2 ? .tls12 : .tls13,
          applicationProtocols: protocols == .http2 ? ["h2"] : ["h2", "http/1.1"]))
    } catch {
      throw StartFailure(message: "TLS of exporter \(name): \(error)")
    }
  }

  /// When the certificate that is shown to servers expires, in seconds since the Unix epoch.
  var certificateExpiry: Int64? {
    if case .server(let target) = destination { target.tls?.current.certificateExpiry } else { nil }
  }

  /// Whether links made for these settings are as good for others.
  func leadsToSamePlace(as other: ExporterSettings) -> Bool {
    switch (section.kind, other.section.kind) {
    case (.file(let file), .file(let another)): file == another
    default:
      section.host == other.section.host && section.port == other.section.port && section.tls == other.section.tls
    }
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
