import Gateway
import Testing

/// Every kind of exporter in the configuration.
@Suite struct ExporterKindTests {
  private let fixture = ConfigurationFixture()

  private func exporter(_ name: String, _ text: String) throws -> ExporterConfiguration {
    let value = try fixture.aggregator("exporters: {\(name): {\(text)}}").configuration
    return try #require(value.exporters.first)
  }

  @Test(arguments: [
    ("endpoint: 'http://tempo:4318'", "tempo", 4318, "/v1/traces", true),
    ("endpoint: 'http://tempo:4318/'", "tempo", 4318, "/v1/traces", true),
    ("endpoint: 'https://tempo.example.com/otlp/'", "tempo.example.com", 443, "/otlp/v1/traces", false),
    ("endpoint: 'http://[::1]'", "::1", 80, "/v1/traces", true),
    (
      "traces_endpoint: 'http://victoria:10428/insert/opentelemetry/v1/traces'", "victoria", 10428,
      "/insert/opentelemetry/v1/traces", true
    ),
    ("traces_endpoint: 'http://a:1/x/', endpoint: 'http://b:2'", "a", 1, "/x/", true),
  ]) func otlpHTTP(_ text: String, _ host: String, _ port: Int, _ path: String, _ isClear: Bool) throws {
    let value = try exporter("otlphttp/x", text)
    #expect(value.kind == .otlpHTTP(URLConfiguration(path: path)))
    #expect(value.host == host && value.port == port)
    #expect((value.tls == nil) == isClear)
    #expect(value.compression == .gzip && value.connections == 4 && value.timeout == .seconds(10))
  }

  @Test func whatRequestsHaveInCommon() throws {
    let value = try exporter(
      "otlphttp",
      """
      endpoint: "https://a", tls: {ca_file: ca, min_version: "1.2"}, compression: zstd, connections: 7, timeout: 3s,
      headers: {AccountID: 12, X-Scope-OrgID: tenant}, retry_on_failure: {max_elapsed_time: 5m},
      sending_queue: {max_size_mib: 3}
      """)
    #expect(value.tls?.authority == "ca" && value.tls?.minVersion == .v1_2)
    #expect(value.compression == .zstd && value.connections == 7 && value.timeout == .seconds(3))
    #expect(value.headers.map(\.name) == ["accountid", "x-scope-orgid"])
    #expect(value.headers.map(\.value.value) == ["12", "tenant"])
    #expect(value.retry.maxElapsedTime == .seconds(300))
    #expect(value.queueBytesMax == 3 << 20)
  }

  @Test func zipkin() throws {
    let value = try exporter("zipkin", "endpoint: 'http://zipkin:9411/api/v2/spans?key=s3cret', format: json")
    #expect(value.kind == .zipkin(URLConfiguration(path: "/api/v2/spans", query: Secret("key=s3cret"))))
    #expect(value.compression == .none && value.port == 9411)
    let shown = try fixture.aggregator("exporters: {zipkin: {endpoint: 'http://z/?key=s3cret'}}").configuration.summary
    #expect(!shown.json.contains("s3cret"))
  }

  @Test func elasticsearch() throws {
    let plain = try exporter("elasticsearch", "endpoint: 'https://es:9200'")
    #expect(plain.kind == .elasticsearch(ElasticsearchConfiguration()))
    var wanted = ElasticsearchConfiguration(basePath: "/es")
    wanted.index = "traces-shop"
    wanted.authorization = Secret("Basic ZWxhc3RpYzpjaGFuZ2U6bWU=")
    wanted.dateFormat = .month
    let whole = try exporter(
      "elasticsearch/x",
      """
      endpoint: "http://es:9200/es/", traces_index: traces-shop, user: elastic, password: "change:me",
      logstash_format: {enabled: true, prefix_separator: "-", date_format: "%Y.%m"}
      """)
    #expect(whole.kind == .elasticsearch(wanted))
    let key = try exporter("elasticsearch", "endpoint: 'http://es:9200', api_key: 'YWJj', logstash_format: {}")
    guard case .elasticsearch(let value) = key.kind else { return #expect(Bool(false), "\(key.kind)") }
    #expect(value.authorization == Secret("ApiKey YWJj"))
    #expect(value.dateFormat == nil)
  }

  @Test func debugAndFile() throws {
    #expect(try fixture.aggregator("exporters: {debug: }").configuration.exporters.map(\.kind) == [.debug(.init())])
    var debug = DebugConfiguration()
    debug.verbosity = .detailed
    #expect(try exporter("debug/all", "verbosity: detailed").kind == .debug(debug))
    var file = FileConfiguration(path: "/var/log/traces.json")
    #expect(try exporter("file", "path: /var/log/traces.json").kind == .file(file))
    file.rotation = FileConfiguration.Rotation()
    #expect(try exporter("file", "path: /var/log/traces.json, rotation: ").kind == .file(file))
    file.rotation?.maxMegabytes = 10
    file.rotation?.maxDays = 3
    file.rotation?.maxBackups = 7
    #expect(
      try exporter(
        "file", "path: /var/log/traces.json, format: json, rotation: {max_megabytes: 10, max_days: 3, max_backups: 7}"
      ).kind == .file(file))
  }

  @Test(arguments: [
    ("otlphttp", "", ".endpoint: is missing; a URL such as https://tempo.example.com:4318, or traces_endpoint"),
    ("otlphttp", "endpoint: 'a:1'", ".endpoint: \(url); it has neither http:// nor https:// before it"),
    (
      "otlphttp", "endpoint: 'http://u:s3cret@a'",
      ".endpoint: \(url); it has a user or a password in it, which belong into the headers"
    ),
    ("otlphttp", "endpoint: 'http://a:b'", ".endpoint: \(url); it has a port that is not a number from 0 to 65535"),
    ("otlphttp", "endpoint: 'http:///x'", ".endpoint: \(url); it has no host"),
    ("otlphttp", "endpoint: 'http://a/#b'", ".endpoint: \(url); it has a fragment (#), which is not sent"),
    (
      "otlphttp", "endpoint: 'http://a', tls: {ca_file: b}",
      ".endpoint: http:// is clear text, which exporters.otlphttp.tls contradicts"
    ),
    ("zipkin", "endpoint: 'https://a', tls: {insecure: true}", ".endpoint: https:// contradicts tls.insecure: true"),
    ("zipkin", "endpoint: 'http://a', format: proto", ".format: must be json, not \"proto\""),
    ("elasticsearch", "endpoint: 'http://a', user: b", ".password: is missing; user and password go together"),
    (
      "elasticsearch", "endpoint: 'http://a', user: b, password: c, api_key: d",
      ".user: api_key is there already; one of them can be meant"
    ),
    (
      "elasticsearch", "endpoint: 'http://a', traces_index: 'A b'",
      ".traces_index: must be an index name: small letters, digits and - _ . within it, not \"A b\""
    ),
    (
      "elasticsearch", "endpoint: 'http://a', logstash_format: {date_format: '%Q'}",
      ".logstash_format.date_format: must be one of %Y.%m.%d, %Y.%m, not \"%Q\""
    ),
    ("debug", "verbosity: loud", ".verbosity: must be one of basic, detailed, not \"loud\""),
    ("debug", "endpoint: 'a:1'", ".endpoint: unknown key (allowed: retry_on_failure, sending_queue, verbosity)"),
    ("file", "", ".path: is missing; the file that is written to"),
    ("file", "path: a, rotation: {max_megabytes: 0}", ".rotation.max_megabytes: must be a whole number, \(megabytes)"),
  ]) func errors(_ name: String, _ text: String, _ error: String) {
    let errors = fixture.aggregatorErrors("exporters:\n  \(name): {\(text)}")
    #expect(errors == ["a.yaml:2: exporters.\(name)\(error)"])
  }

  @Test func aRelaysLocalExporters() throws {
    let value = try fixture.relay(
      """
      region: a
      exporters:
        otlp/tempo: {endpoint: "t:1", tls: {insecure: true}}
        otlp: {endpoint: "a:1"}
        debug:
      """
    ).configuration
    #expect(value.exporter.name == "otlp" && value.exporter.compression == .zstd)
    #expect(value.localExporters.map(\.name) == ["otlp/tempo", "debug"])
    #expect(value.localExporters.map(\.queueBytesMax) == [64 << 20, 64 << 20])
    #expect(value.localExporters[0].compression == .gzip)
    // One that is alone leads to the aggregator, whatever its label.
    let alone = try fixture.relay("region: a\nexporters: {otlp/x: {endpoint: 'a:1'}}").configuration
    #expect(alone.exporter.name == "otlp/x" && alone.exporter.compression == .zstd && alone.localExporters.isEmpty)
    #expect(
      fixture.relayErrors("region: a\nexporters: {debug: }") == [
        "a.yaml:2: exporters: must have `otlp`, the aggregator; any others are local exporters beside it"
      ])
    #expect(
      fixture.relayErrors(
        "region: a\nexporters:\n  otlp: {endpoint: 'a:1'}\n  file: {path: b, sending_queue: {storage: c}}")
        == [
          "a.yaml:4: exporters.file.sending_queue.storage: is the aggregator's exporter's; "
            + "the queue of a local exporter is in memory"
        ])
  }
}

private let url = "must be a URL http(s)://HOST[:PORT][/PATH]"
private let megabytes = "1 to 1048576, not \"0\""
