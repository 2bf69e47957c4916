import Gateway
import Logging
import Policy
import Telemetry
import Testing
import TraceWire

/// The contract's examples, letter by letter, and what they mean.
@Suite struct ConfigurationContractTests {
  private let fixture = ConfigurationFixture()

  static let relay = """
    region: us-east-1                      # required
    receivers:                             # a receiver that is not named is not opened
      otlp:
        protocols:
          grpc: {endpoint: "127.0.0.1:4317", tls: {cert_file: , key_file: , client_ca_file: }}    # tls optional
          http: {endpoint: "127.0.0.1:4318"}             # HTTP/1.1 and HTTP/2 cleartext (prior knowledge) on one port
      zipkin: {endpoint: "127.0.0.1:9411"}
      jaeger:
        protocols:
          grpc: {endpoint: "127.0.0.1:14250"}
          thrift_http: {endpoint: "127.0.0.1:14268"}
    limits: {max_request_mib: 64, max_connections: 1024, max_concurrent_streams: 128}   # size holds after decompression too
    processors:
      memory_limiter: {limit_mib: 512, spike_limit_mib: 128}
      resource: {attributes: [{key: deployment.environment, value: production, action: upsert}]}  # insert|update|upsert|delete
      batch: {timeout: 1s, send_batch_size: 1024, send_batch_max_size: 2048}
    propagation: {type: w3c}
    sampling: {type: probabilistic, param: 0.1, mode: equalizing}     # for spans that travel no route; mode: equalizing|proportional; trace_memory: see below
    context:
      baggage:
        enabled: true                      # the limits hold only where this section is present
        restrictions: {maxCount: 10, maxLength: 1024}
        prefix: "baggage."                 # span attributes that are baggage: this prefix,
        keys: []                           # these exact keys,
        header_attributes: [http.request.header.baggage]   # and whole W3C baggage headers captured as attributes
        allow: []                          # if not empty, only these entry names pass
        deny: []
    routes:
      - {from: us-east-1, to: us-west-2, sampling: 0.5}
    regions:                               # how a peer's region is recognised when no attribute names it
      - {name: us-west-2, hosts: ["*.us-west-2.example.com"], cidrs: ["10.20.0.0/16"]}
    exporters:
      otlp:                                # the aggregator
        endpoint: "aggregator.example.com:4317"
        connections: 2
        compression: zstd                  # none|gzip|zstd
        timeout: 10s
        tls: {ca_file: , cert_file: , key_file: , server_name_override: , insecure: false, min_version: "1.3"}
        retry_on_failure: {initial_interval: 1s, max_interval: 30s, max_elapsed_time: 0s}     # 0s: never give up
        sending_queue: {max_size_mib: 256, storage: }     # storage: a directory -> survives kill -9 and power loss
    admin: {endpoint: "127.0.0.1:8888"}
    log: {level: info, format: text}
    shutdown_timeout: 10s
    """

  /// With the page's `{...}` left out.
  static let aggregator = """
    receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:4317", tls: {cert_file: , key_file: , client_ca_file: }}, http: {}}}}
    limits: {}                          # as above
    stitching: {idle_timeout: 10s, max_trace_age: 5m, max_live_traces: 1000000, memory_limit_mib: 2048, max_spans_per_trace: 100000, storage: }  # storage: journal directory
    flow: {duration_buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10], max_regions: 100, max_services: 1000, link_ttl: 60s, max_half_links: 2000000}
    exporters:                             # any number; NAME/LABEL as in the Collector
      otlp/tempo: {endpoint: "tempo:4317", tls: {insecure: true}}
    admin: {endpoint: "127.0.0.1:8888"}
    """

  @Test func relayExampleIsRead() throws {
    let loaded = try fixture.relay(Self.relay)
    let value = loaded.configuration
    #expect(value.region == "us-east-1")
    #expect(value.receivers.otlp.grpc == ListenerConfiguration(host: "127.0.0.1", port: 4317))
    #expect(value.receivers.otlp.http == ListenerConfiguration(host: "127.0.0.1", port: 4318))
    #expect(value.receivers.zipkin?.port == 9411)
    #expect(value.receivers.jaeger.grpc?.port == 14250)
    #expect(value.receivers.jaeger.thriftHTTP?.port == 14268)
    #expect(
      value.editing.rules.resource
        == [AttributeAction(.upsert, key: "deployment.environment", value: .string("production"))])
    #expect(value.sampling.probability == 0.1)
    #expect(value.baggage == BaggageConfiguration())
    #expect(value.routes == [RouteConfiguration(from: "us-east-1", to: "us-west-2", probability: 0.5)])
    #expect(
      value.regions
        == [RegionConfiguration(name: "us-west-2", hosts: ["*.us-west-2.example.com"], cidrs: ["10.20.0.0/16"])])
    #expect(value.exporter == ExporterConfiguration(name: "otlp", host: "aggregator.example.com", port: 4317))
    #expect(loaded.warnings.isEmpty)
  }

  /// "Defaults stand in the example": what is left out is what the example says.
  @Test func relayDefaultsAreTheExamples() throws {
    let whole = try fixture.relay(Self.relay).configuration
    let least = try fixture.relay(
      "region: us-east-1\nexporters: {otlp: {endpoint: \"aggregator.example.com:4317\"}}"
    ).configuration
    #expect(least.limits == whole.limits)
    #expect(least.memoryLimiter == whole.memoryLimiter)
    #expect(least.batch == whole.batch)
    #expect(least.propagation == whole.propagation)
    #expect(least.exporter == whole.exporter)
    #expect(least.admin == whole.admin)
    #expect(least.log == whole.log)
    #expect(least.shutdownTimeout == whole.shutdownTimeout)
    #expect(least.sampling.mode == whole.sampling.mode)
    // But nothing is dropped or opened unasked.
    #expect(least.sampling.probability == 1)
    #expect(least.sampling.traceMemory.ttl == .seconds(60))
    #expect(least.sampling.traceMemory.maxTraces == 200_000)
    #expect(least.baggage == nil)
    #expect(least.routes.isEmpty && least.regions.isEmpty && least.editing == EditingConfiguration())
    #expect(least.receivers == ReceiversConfiguration())
  }

  @Test func relayDefaultsInNumbers() throws {
    let value = try fixture.relay(leastRelay).configuration
    #expect(value.limits.maxRequestBytes == 67_108_864)
    #expect(value.limits.maxConnections == 1024)
    #expect(value.limits.maxConcurrentStreams == 128)
    #expect(value.memoryLimiter.limitBytes == 536_870_912)
    #expect(value.memoryLimiter.spikeLimitBytes == 134_217_728)
    #expect(value.batch.timeout == .seconds(1))
    #expect(value.batch.sendBatchSize == 1024)
    #expect(value.batch.sendBatchMaxSize == 2048)
    #expect(value.exporter.connections == 2)
    #expect(value.exporter.compression == .zstd)
    #expect(value.exporter.timeout == .seconds(10))
    #expect(value.exporter.tls?.minVersion == .v1_3)
    #expect(value.exporter.retry.initialInterval == .seconds(1))
    #expect(value.exporter.retry.maxInterval == .seconds(30))
    #expect(value.exporter.retry.maxElapsedTime == nil)
    #expect(value.exporter.queueBytesMax == 268_435_456)
    #expect(value.admin == ListenerConfiguration(host: "127.0.0.1", port: 8888))
    #expect(value.log.level == .info)
    #expect(value.log.format == .text)
    #expect(value.shutdownTimeout == .seconds(10))
  }

  @Test func aggregatorExampleIsReadAndHasTheDefaults() throws {
    let loaded = try fixture.aggregator(Self.aggregator)
    var expected = try fixture.aggregator("").configuration
    #expect(expected.exporters.isEmpty)
    expected.receivers.otlp.grpc = ListenerConfiguration(port: 4317)
    expected.receivers.otlp.http = ListenerConfiguration(port: 4318)
    expected.exporters = [ExporterConfiguration(name: "otlp/tempo", host: "tempo", port: 4317, compression: .gzip)]
    expected.exporters[0].tls = nil
    #expect(loaded.configuration == expected)
    #expect(loaded.warnings.isEmpty)
    #expect(expected.stitching.idleTimeout == .seconds(10))
    #expect(expected.stitching.maxTraceAge == .seconds(300))
    #expect(expected.stitching.memoryLimitBytes == 2_147_483_648)
    #expect(expected.flow.durationBuckets.count == 11)
    #expect(expected.flow.linkTTL == .seconds(60))
  }

  /// What users have in their ConfigMaps: only these blocks, and numbers in quotation marks.
  @Test func takesTheUsersBlocksUnchanged() throws {
    let value = try fixture.relay(
      leastRelay,
      """
      propagation:
        type: w3c
      sampling:
        type: "probabilistic"
        param: "0.1"
      context:
        baggage:
          enabled: true
          restrictions:
            maxCount: "10"
            maxLength: 1024
      routes:
        - from: us-east-1
          to: us-west-2
          sampling: "0.5"
        - from: "*"
          to: "*"
          sampling: 1
      """
    ).configuration
    #expect(value.sampling.probability == 0.1)
    #expect(value.baggage?.maxCount == 10)
    #expect(value.routes.map(\.probability) == [0.5, 1])
  }
}
