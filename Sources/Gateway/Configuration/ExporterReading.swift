internal import TLSEngine

extension ExporterConfiguration {
  /// Reads `exporters`. A relay's traffic to the aggregator is zstd by default; a back end gets what its exporter in
  /// the Collector would send it, because all of them take that.
  static func readAll(_ section: SectionReader, isRelay: Bool) -> [ExporterConfiguration] {
    let all = section.all()
    let aggregator = isRelay ? aggregatorName(all.map(\.key)) : nil
    return all.compactMap { name, setting in
      let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      guard let type = parts.first, ExporterKind.names.contains(String(type)), parts.count == 1 || !parts[1].isEmpty
      else {
        setting.fail("unknown exporter type (allowed: \(ExporterKind.names.joined(separator: ", ")), and TYPE/NAME)")
        return nil
      }
      let role: Role = !isRelay ? .backEnd : name == aggregator ? .aggregator : .local
      return setting.section { read($0, name: name, type: String(type), role: role) }
    }
  }

  /// Which of a relay's exporters leads to the aggregator: `otlp`, or the only one, where that speaks OTLP/gRPC.
  static func aggregatorName(_ names: [String]) -> String? {
    if names.contains("otlp") { return "otlp" }
    return names.count == 1 && names[0].hasPrefix("otlp/") ? names[0] : nil
  }

  /// What an exporter is for.
  enum Role {
    case aggregator
    /// Beside the aggregator.
    case local
    /// Of an aggregator.
    case backEnd
  }

  private static func read(
    _ section: SectionReader, name: String, type: String, role: Role
  ) -> ExporterConfiguration? {
    var value = ExporterConfiguration(name: name, host: "", port: 0, compression: role == .aggregator ? .zstd : .gzip)
    if role == .local { value.queueBytesMax = 64 << 20 }
    let isWhole: Bool
    switch type {
    case "otlp": isWhole = value.readGRPC(section)
    case "otlphttp": isWhole = value.readOTLPHTTP(section)
    case "zipkin": isWhole = value.readZipkin(section)
    case "elasticsearch": isWhole = value.readElasticsearch(section)
    case "debug": isWhole = value.readDebug(section)
    default: isWhole = value.readFile(section)
    }
    value.readQueue(section, role)
    return isWhole ? value : nil
  }

  /// What every exporter has.
  private mutating func readQueue(_ section: SectionReader, _ role: Role) {
    retry = section.section("retry_on_failure", Retry.read) ?? retry
    _ = section.section("sending_queue") { queue in
      queueBytesMax = queue["max_size_mib"]?.mebibytes(1...1_048_576) ?? queueBytesMax
      guard let storage = queue["storage"] else { return }
      switch role {
      case .aggregator: queueStorage = storage.string()
      case .local: storage.fail("is the aggregator's exporter's; the queue of a local exporter is in memory")
      case .backEnd: storage.failAsRelays()
      }
    }
  }

  private mutating func readGRPC(_ section: SectionReader) -> Bool {
    let setting = section.required("endpoint", "HOST:PORT such as aggregator.example.com:4317")
    let target = setting?.targetEndpoint()
    readConnection(section)
    let isInsecure = tls == nil
    switch target?.isSecure {
    case true where isInsecure: setting?.fail("https:// contradicts tls.insecure: true")
    case false where !isInsecure: setting?.fail("http:// is clear text, which must be said with tls.insecure: true")
    default: break
    }
    guard let target else { return false }
    (host, port) = (target.endpoint.host, target.endpoint.port)
    return true
  }

  /// What every exporter has that sends requests.
  mutating func readConnection(_ section: SectionReader) {
    connections = section["connections"]?.integer(1...64) ?? connections
    compression = section["compression"]?.choice(Compression.self) ?? compression
    timeout = section["timeout"]?.duration(atLeast: .milliseconds(1)) ?? timeout
    _ = section.section("tls") { tls = ClientTLSFiles.read($0) }
    headers = section.section("headers", Header.readAll) ?? []
  }
}

extension Setting {
  /// An aggregator's exporters take up again from its journal.
  func failAsRelays() { fail("is a relay's; an aggregator keeps everything in stitching.storage") }
}

extension ExporterConfiguration.Retry {
  fileprivate static func read(_ section: SectionReader) -> Self? {
    var value = Self()
    value.initialInterval = section["initial_interval"]?.duration(atLeast: .milliseconds(1)) ?? value.initialInterval
    let longest = section["max_interval"]
    value.maxInterval = longest?.duration() ?? max(value.maxInterval, value.initialInterval)
    if let longest, value.maxInterval < value.initialInterval {
      longest.fail("must be at least initial_interval, which is \(DurationText(value.initialInterval))")
    }
    let elapsed = section["max_elapsed_time"]?.duration() ?? .zero
    value.maxElapsedTime = elapsed == .zero ? nil : elapsed
    return value
  }
}

extension ExporterConfiguration.Header {
  /// Whether a field of this name, in lower case, is not one that HTTP or gRPC have for themselves.
  static func canBeSet(_ name: String) -> Bool {
    let isToken = !name.isEmpty && name.utf8.allSatisfy { tokenBytes.contains($0) }
    return isToken && !name.hasPrefix("grpc-") && !reserved.contains(name)
  }

  fileprivate static func readAll(_ section: SectionReader) -> [Self]? {
    section.all().compactMap { key, setting in
      let name = key.lowercased()
      if !canBeSet(name) {
        setting.fail("is not a header field that can be set")
        return nil
      }
      if setting.log.claim("header \(section.own.path)\0\(name)", by: setting.path) != nil {
        setting.fail("duplicate header field, letters' case does not count")
      }
      // A token may look like a number; messages must not show it.
      guard case .scalar(let scalar) = setting.node.content,
        scalar.text.utf8.allSatisfy({ $0 == 0x09 || (0x20...0x7E).contains($0) })
      else {
        setting.fail("must be a string of printable ASCII characters")
        return nil
      }
      return Self(name: name, value: Secret(scalar.text))
    }
  }

  private static let tokenBytes = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz".utf8)
  private static let reserved: Set<String> = [
    "connection", "content-encoding", "content-length", "content-type", "host", "te", "transfer-encoding", "upgrade",
    "user-agent",
  ]
}

extension ClientTLSFiles {
  /// Nil for clear text.
  fileprivate static func read(_ section: SectionReader) -> ClientTLSFiles? {
    var value = ClientTLSFiles()
    let files = ["ca_file", "cert_file", "key_file"].map { section[$0] }
    value.authority = files[0]?.string()
    value.certificate = files[1]?.string()
    value.key = files[2]?.string()
    if files[1] != nil || files[2] != nil {
      _ = section.required("cert_file", "cert_file and key_file go together")
      _ = section.required("key_file", "cert_file and key_file go together")
    }
    value.serverNameOverride = section["server_name_override"]?.serverName()
    let insecure = section["insecure"]
    value.minVersion = section["min_version"]?.choice(Version.self) ?? value.minVersion
    guard let insecure, insecure.boolean() == true else { return value }
    if let file = files.compactMap({ $0 }).first {
      insecure.fail("true means clear text, which \(file.path) contradicts")
    }
    return nil
  }
}

extension Setting {
  /// A name that a certificate can be for. An empty one would not turn verification off, and not work either.
  fileprivate func serverName() -> String? {
    guard let name = string() else { return nil }
    guard TLSClientConfiguration.isServerName(name) else {
      fail("must be a host name or an IP address without a port; names in other scripts in their xn-- form")
      return nil
    }
    return name
  }
}
