import Gateway
import Logging
import Policy
import Testing
import TraceWire

/// Values that are right, and what becomes of them.
@Suite struct ConfigurationValueTests {
  private let fixture = ConfigurationFixture()

  @Test func zipkinAndJaegerOnBothRoles() throws {
    let receivers = "receivers:\n  zipkin:\n  jaeger:\n    protocols:\n      grpc:\n      thrift_http:\n"
    var wanted = ReceiversConfiguration()
    wanted.zipkin = ListenerConfiguration(port: 9411)
    wanted.jaeger = JaegerReceiverConfiguration(
      grpc: ListenerConfiguration(port: 14250), thriftHTTP: ListenerConfiguration(port: 14268))
    #expect(try fixture.aggregator(receivers).configuration.receivers == wanted)
    let sampling = "    remote_sampling:\n      grpc:\n      http:\n"
    wanted.jaeger.samplingGRPC = ListenerConfiguration(port: 14251)
    wanted.jaeger.samplingHTTP = ListenerConfiguration(port: 5778)
    #expect(try fixture.relay(leastRelay + receivers + sampling).configuration.receivers == wanted)
    // An aggregator samples nothing.
    #expect(throws: (any Error).self) { try fixture.aggregator(receivers + sampling) }
  }

  @Test(
    arguments: [
      ("1s", .seconds(1)), ("500ms", .milliseconds(500)), ("1m30s", .seconds(90)), ("5m", .seconds(300)),
      ("1h", .seconds(3600)), ("0s", .zero), ("0", .zero), ("1.5s", .milliseconds(1500)), (".5s", .milliseconds(500)),
      ("10us", .microseconds(10)), ("10µs", .microseconds(10)), ("7ns", .nanoseconds(7)),
      ("1h1m1s1ms", .milliseconds(3_661_001)),
      ("+2s", .seconds(2)), ("2562047h", .seconds(9_223_369_200)),
    ] as [(String, Duration)])
  func durations(text: String, expected: Duration) throws {
    #expect(try fixture.relay(leastRelay + "shutdown_timeout: \(text)").configuration.shutdownTimeout == expected)
  }

  @Test(arguments: [
    "1", "1.5", "s", "1d", "1 s", "", "-", "1s1", ".s", "1..5s", "2562048h", "99999999999999999999s", "1S",
  ])
  func notDurations(text: String) {
    let errors = fixture.relayErrors(leastRelay + "shutdown_timeout: '\(text)'")
    #expect(errors.count == 1)
    #expect(errors.first?.hasPrefix("a.yaml:3: shutdown_timeout: must be a duration such as") == true)
  }

  @Test(arguments: [
    ("127.0.0.1:4317", "127.0.0.1", 4317), (":4317", "0.0.0.0", 4317), ("[::1]:4317", "::1", 4317),
    ("localhost:0", "localhost", 0), ("[::]:65535", "::", 65535),
    ("collector_1.example.com:1", "collector_1.example.com", 1),
  ])
  func listenEndpoints(text: String, host: String, port: Int) throws {
    let value = try fixture.aggregator("receivers: {otlp: {protocols: {http: {endpoint: '\(text)'}}}}").configuration
    #expect(value.receivers.otlp.http == ListenerConfiguration(host: host, port: port))
    #expect(value.receivers.otlp.grpc == nil)
  }

  @Test func freePortsMayBeManyAndNullOpensTheDefault() throws {
    let value = try fixture.aggregator(
      """
      receivers:
        otlp:
          protocols:
            grpc: {endpoint: "127.0.0.1:0"}
            http: {endpoint: "127.0.0.1:0"}
      admin: {endpoint: "127.0.0.1:0"}
      """
    ).configuration
    #expect(value.admin.port == 0)
    let defaults = try fixture.aggregator("receivers:\n  otlp:\n    protocols:\n      grpc:\n      http:\n")
      .configuration
    #expect(defaults.receivers.otlp.grpc == ListenerConfiguration(port: 4317))
    #expect(defaults.receivers.otlp.http == ListenerConfiguration(port: 4318))
  }

  @Test func serverCertificates() throws {
    let value = try fixture.aggregator(
      """
      receivers: {otlp: {protocols: {
        grpc: {tls: {cert_file: c, key_file: k, client_ca_file: a}}, http: {tls: {cert_file: c, key_file: k}}}}}
      """
    ).configuration
    #expect(value.receivers.otlp.grpc?.tls == ServerTLSFiles(certificate: "c", key: "k", clientAuthority: "a"))
    #expect(value.receivers.otlp.http?.tls == ServerTLSFiles(certificate: "c", key: "k"))
  }

  @Test func exporters() throws {
    let value = try fixture.aggregator(
      """
      exporters:
        otlp: {endpoint: "https://a.example.com:4317/", tls: {ca_file: ca, cert_file: c, key_file: k, min_version: 1.2,
          server_name_override: b, insecure: false}, compression: none, connections: 4, timeout: 1m,
          retry_on_failure: {initial_interval: 100ms, max_elapsed_time: 5m}, sending_queue: {max_size_mib: 2},
          headers: {X-Scope-OrgID: tenant, authorization: 12}}
        otlp/two: {endpoint: "http://[::1]:4317", tls: {insecure: true, min_version: "1.3"}}
      """
    ).configuration
    let first = try #require(value.exporters.first)
    #expect(first.name == "otlp")
    #expect(first.host == "a.example.com")
    #expect(first.tls?.authority == "ca")
    #expect(first.tls?.certificate == "c")
    #expect(first.tls?.key == "k")
    #expect(first.tls?.minVersion == .v1_2)
    #expect(first.tls?.serverNameOverride == "b")
    #expect(first.compression == .none)
    #expect(first.connections == 4)
    #expect(first.timeout == .seconds(60))
    #expect(first.retry.initialInterval == .milliseconds(100))
    #expect(first.retry.maxInterval == .seconds(30))
    #expect(first.retry.maxElapsedTime == .seconds(300))
    #expect(first.queueBytesMax == 2 << 20)
    #expect(first.headers.map(\.name) == ["x-scope-orgid", "authorization"])
    #expect(first.headers.map(\.value.value) == ["tenant", "12"])
    #expect(value.exporters.last?.host == "::1")
    #expect(value.exporters.last?.tls == nil)
  }

  @Test func resourceActionsKeepTheirTypes() throws {
    let value = try fixture.relay(
      leastRelay
        + """
        processors:
          resource:
            attributes:
              - {key: s, value: "5", action: insert}
              - {key: i, value: -5, action: update}
              - {key: d, value: 0.5, action: upsert}
              - {key: b, value: true, action: upsert}
              - {key: e, value: "", action: upsert}
              - {key: x, action: delete}
        """
    ).configuration
    #expect(
      value.editing.rules.resource.map(\.value)
        == [.string("5"), .int(-5), .double(0.5), .bool(true), .string(""), nil])
    #expect(value.editing.rules.resource.map(\.kind) == [.insert, .update, .upsert, .upsert, .upsert, .delete])
  }

  @Test func baggageIsAbsentPresentOrOff() throws {
    func baggage(_ text: String) throws -> BaggageConfiguration? {
      try fixture.relay(leastRelay + text).configuration.baggage
    }
    #expect(try baggage("") == nil)
    #expect(try baggage("context:") == nil)
    #expect(try baggage("context: {}") == nil)
    #expect(try baggage("context: {baggage: }") == BaggageConfiguration())
    #expect(try baggage("context: {baggage: {enabled: false, keys: [a]}}") == nil)
    let value = try baggage(
      "context: {baggage: {restrictions: {maxCount: 0}, header_attributes: [], allow: [a, b], deny: [c]}}")
    #expect(value?.maxCount == 0)
    #expect(value?.maxLength == 1024)
    #expect(value?.headerAttributes == [])
    #expect(value?.allow == ["a", "b"])
    #expect(value?.deny == ["c"])
  }

  @Test func smallLimitsBringTheirDefaultsAlong() throws {
    let value = try fixture.relay(
      leastRelay + "processors: {memory_limiter: {limit_mib: 64}, batch: {send_batch_size: 8192}}"
    ).configuration
    #expect(value.memoryLimiter.spikeLimitBytes == 16 << 20)
    #expect(value.batch.sendBatchMaxSize == 8192)
  }

  @Test(
    arguments: [
      ("warn", .warning), ("WARN", .warning), ("warning", .warning), ("debug", .debug), ("Info", .info),
    ] as [(String, Logger.Level)])
  func logLevels(text: String, level: Logger.Level) throws {
    #expect(try fixture.relay(leastRelay + "log: {level: \(text)}").configuration.log.level == level)
  }

  @Test func regionsTakeSingleAddressesAndIPv6() throws {
    let value = try fixture.relay(
      leastRelay + "regions: [{name: a, cidrs: [\"10.0.0.1\", \"::/0\", \"2001:db8::/128\", 0.0.0.0/0]}]"
    ).configuration
    #expect(value.regions.first?.cidrs == ["10.0.0.1", "::/0", "2001:db8::/128", "0.0.0.0/0"])
  }

  @Test func warnsOfAnAdminEndpointOthersReach() throws {
    let served = "receivers: {otlp: {protocols: {grpc: }}}\n"
    let open = try fixture.aggregator(served + "admin: {endpoint: \":8888\"}")
    #expect(open.configuration.admin.host == "0.0.0.0")
    #expect(
      open.warnings.map(\.description) == [
        "a.yaml:2: admin.endpoint: is reachable from other machines: metrics and status are served without access control"
      ])
    for host in ["127.0.0.2", "localhost", "[::1]"] {
      #expect(try fixture.aggregator(served + "admin: {endpoint: \"\(host):8888\"}").warnings.isEmpty)
    }
  }

  @Test func warnsOfRequestsThatNeverFit() throws {
    let served = "receivers: {otlp: {protocols: {grpc: }}}\n"
    let memory = "processors: {memory_limiter: {limit_mib: 80, spike_limit_mib: 20}}\n"
    #expect(
      try fixture.relay(leastRelay + served + memory).warnings.map(\.description) == [
        "a.yaml:1: a request of max_request_mib (64) never fits into the 60 MiB that processors.memory_limiter leaves for "
          + "one: larger requests are answered as overload for ever"
      ])
    #expect(try fixture.relay(leastRelay + served + memory + "limits: {max_request_mib: 60}").warnings.isEmpty)
    let small = try fixture.aggregator(served + "stitching: {memory_limit_mib: 100}\nlimits: {max_request_mib: 50}")
    #expect(small.warnings.map(\.keyPath) == ["limits"])
    #expect(try fixture.aggregator(served + "stitching: {memory_limit_mib: 160}").warnings.isEmpty)
  }

  @Test func warnsOfNoReceiver() throws {
    #expect(
      try fixture.relay(leastRelay).warnings.map(\.description)
        == ["a.yaml:1: receivers: names no receiver that is served: no span can come in"])
    #expect(try fixture.aggregator("").warnings.count == 1)
  }

  @Test func summaryShowsEverythingButSecrets() throws {
    let loaded = try fixture.aggregator(
      """
      exporters: {otlp: {endpoint: "a:1", tls: {ca_file: ca.pem}, headers: {authorization: s3cret}, timeout: 90s}}
      stitching: {idle_timeout: 500ms}
      """)
    let json = loaded.configuration.summary.json
    #expect(!json.contains("s3cret"))
    #expect(json.contains("\"headers\":[{\"name\":\"authorization\",\"value\":\"***\"}]"))
    #expect(json.contains("\"timeout\":\"1m30s\""))
    #expect(json.contains("\"idle_timeout\":\"500ms\""))
    #expect(json.contains("\"link_ttl\":\"1m\""))
    #expect(json.contains("\"authority\":\"ca.pem\""))
    #expect(json.contains("\"compression\":\"gzip\""))
    #expect(json.contains("\"level\":\"info\""))
    #expect(json.contains("\"max_live_traces\":1000000"))
    #expect(json.contains("\"certificate\":null"))
    let relay = try fixture.relay(
      leastRelay + "processors: {resource: {attributes: [{key: k, value: 5, action: upsert}]}}")
    #expect(relay.configuration.summary.json.contains("[{\"action\":\"upsert\",\"key\":\"k\",\"value\":5}]"))
    let expanded = try ConfigurationFixture(environment: ["TOKEN": "s3cret"]).relay(
      leastRelay + "processors: {resource: {attributes: [{key: k, value: \"${env:TOKEN}\", action: insert}]}}")
    #expect(expanded.configuration.editing.rules.resource.first?.value == .string("s3cret"))
    #expect(expanded.configuration.summary.json.contains("[{\"action\":\"insert\",\"key\":\"k\",\"value\":\"***\"}]"))
  }
}
