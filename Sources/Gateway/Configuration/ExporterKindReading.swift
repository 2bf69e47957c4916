internal import Formats

/// What only some kinds of exporters have.
extension ExporterConfiguration {
  mutating func readOTLPHTTP(_ section: SectionReader) -> Bool {
    let exact = section["traces_endpoint"]
    let setting =
      exact ?? section.required("endpoint", "a URL such as https://tempo.example.com:4318, or traces_endpoint")
    _ = section["endpoint"]
    guard let url = readURL(setting, section) else { return false }
    let path = exact == nil ? url.path.withoutTrailingSlash + "/v1/traces" : url.path
    kind = .otlpHTTP(URLConfiguration(path: path, query: url.query))
    return true
  }

  mutating func readZipkin(_ section: SectionReader) -> Bool {
    let setting = section.required("endpoint", "a URL such as http://zipkin.example.com:9411/api/v2/spans")
    compression = .none
    guard let url = readURL(setting, section) else { return false }
    if let format = section["format"] {
      enum Format: String, CaseIterable { case json }
      _ = format.choice(Format.self)
    }
    kind = .zipkin(URLConfiguration(path: url.path, query: url.query))
    return true
  }

  mutating func readElasticsearch(_ section: SectionReader) -> Bool {
    let setting = section.required("endpoint", "a URL such as https://elasticsearch.example.com:9200")
    let url = readURL(setting, section)
    var value = ElasticsearchConfiguration(basePath: url?.path.withoutTrailingSlash ?? "")
    if url?.query != nil { setting?.fail("must have no query: requests go to /_bulk below it") }
    value.index = section["traces_index"]?.indexName()
    value.dateFormat = section.section("logstash_format") { format -> ElasticsearchConfiguration.DateFormat? in
      enum Separator: String, CaseIterable { case hyphen = "-" }
      let isEnabled = format["enabled"]?.boolean() ?? false
      _ = format["prefix_separator"]?.choice(Separator.self)
      let date = format["date_format"]?.choice(ElasticsearchConfiguration.DateFormat.self) ?? .day
      return isEnabled ? date : nil
    }
    value.authorization = readAuthorization(section)
    kind = .elasticsearch(value)
    return url != nil
  }

  private func readAuthorization(_ section: SectionReader) -> Secret? {
    let (user, password, key) = (section["user"], section["password"], section["api_key"])
    if let key {
      user?.fail("api_key is there already; one of them can be meant")
      return key.secretText().map { Secret("ApiKey \($0)") }
    }
    guard user != nil || password != nil else { return nil }
    let together = "user and password go together"
    let name = section.required("user", together)?.secretText()
    let word = section.required("password", together)?.secretText()
    if name?.contains(":") ?? false { user?.fail("must be without a colon, which ends it") }
    guard let name, let word else { return nil }
    return Secret("Basic " + BasicCredentials.encode(user: name, password: word))
  }

  mutating func readDebug(_ section: SectionReader) -> Bool {
    var value = DebugConfiguration()
    value.verbosity = section["verbosity"]?.choice(DebugConfiguration.Verbosity.self) ?? value.verbosity
    (tls, kind) = (nil, .debug(value))
    return true
  }

  mutating func readFile(_ section: SectionReader) -> Bool {
    let path = section.required("path", "the file that is written to")?.string()
    var value = FileConfiguration(path: path ?? "")
    if let format = section["format"] {
      enum Format: String, CaseIterable { case json }
      _ = format.choice(Format.self)
    }
    value.rotation = section.namedSection("rotation") { reader in
      var rotation = FileConfiguration.Rotation()
      rotation.maxMegabytes = reader["max_megabytes"]?.integer(1...1_048_576) ?? rotation.maxMegabytes
      rotation.maxDays = reader["max_days"]?.integer(0...36_500) ?? rotation.maxDays
      rotation.maxBackups = reader["max_backups"]?.integer(0...100_000) ?? rotation.maxBackups
      return rotation
    }
    (tls, kind) = (nil, .file(value))
    return path != nil
  }

  /// Reads a URL and what every exporter has that sends requests. The scheme says whether it is clear text.
  private mutating func readURL(_ setting: Setting?, _ section: SectionReader) -> ExporterURL? {
    connections = 4
    readConnection(section)
    guard let setting, let url = setting.url() else { return nil }
    (host, port) = (url.host, url.port)
    if url.isSecure {
      if tls == nil { setting.fail("https:// contradicts tls.insecure: true") }
    } else {
      if let tls, tls != ClientTLSFiles() {
        setting.fail("http:// is clear text, which \(section.own.path).tls contradicts")
      }
      tls = nil
    }
    return url
  }
}

extension Setting {
  /// A string whose letters no message shows; a number is one too.
  fileprivate func secretText() -> String? {
    guard case .scalar(let scalar) = node.content, !scalar.text.isEmpty,
      scalar.text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
    else {
      fail("must be a string of printable ASCII characters")
      return nil
    }
    return scalar.text
  }

  /// The name of an index, a data stream or an alias, or what the name of one begins with.
  fileprivate func indexName() -> String? {
    guard let name = string() else { return nil }
    let isName = ElasticsearchIndex(name: name) != nil
    if !isName { fail("must be an index name: small letters, digits and - _ . within it, not \(shown)") }
    return isName ? name : nil
  }
}
