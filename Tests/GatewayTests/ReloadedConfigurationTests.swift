import Testing

@testable import Gateway

/// What a running process makes of another configuration.
@Suite struct ReloadedConfigurationTests {
  private let fixture = ConfigurationFixture()

  @Test(arguments: [
    ("receivers: {otlp: {protocols: {grpc: {endpoint: '127.0.0.1:1'}}}}", "receivers.otlp.protocols.grpc"),
    ("receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:1'}}}}", "receivers.otlp.protocols.http"),
    ("receivers: {zipkin: {endpoint: '127.0.0.1:1'}}", "receivers.zipkin"),
    ("receivers: {jaeger: {protocols: {grpc: }}}", "receivers.jaeger.protocols.grpc"),
    ("receivers: {jaeger: {protocols: {thrift_http: }}}", "receivers.jaeger.protocols.thrift_http"),
    ("receivers: {jaeger: {remote_sampling: {grpc: }}}", "receivers.jaeger.remote_sampling.grpc"),
    ("receivers: {jaeger: {remote_sampling: {http: }}}", "receivers.jaeger.remote_sampling.http"),
    ("sampling: {trace_memory: {ttl: 1s}}", "sampling.trace_memory"),
    ("admin: {endpoint: '127.0.0.1:1'}", "admin"), ("log: {level: debug}", "log"),
    ("shutdown_timeout: 1s", "shutdown_timeout"), ("tenants: ", "tenants"),
  ]) func aRelayKeeps(_ text: String, _ section: String) throws {
    let old = try fixture.relay(leastRelay).configuration
    let reloaded = old.reloaded(try fixture.relay(leastRelay + text).configuration)
    #expect(reloaded.sectionsNeedingRestart == [section])
    #expect(reloaded.inForce == old)
    // Until it is restarted, every reload says so.
    let again = reloaded.inForce.reloaded(try fixture.relay(leastRelay + text).configuration)
    #expect(again.sectionsNeedingRestart == [section])
  }

  @Test(arguments: [
    "limits: {max_connections: 7, max_connections_per_peer: 3, stall_timeout: 1s, max_request_mib: 1}",
    "processors: {memory_limiter: {limit_mib: 10, spike_limit_mib: 1}, batch: {timeout: 7s}}",
    "sampling: {type: probabilistic, param: 0.5}", "routes: [{from: a, to: b, sampling: 0.1}]",
    "regions: [{name: a, hosts: [b]}]", "context: {baggage: {enabled: true}}",
  ]) func aRelayTakesOver(_ text: String) throws {
    let old = try fixture.relay(leastRelay).configuration
    let new = try fixture.relay(leastRelay + text).configuration
    #expect(old != new)
    let reloaded = old.reloaded(new)
    #expect(reloaded.sectionsNeedingRestart.isEmpty)
    #expect(reloaded.inForce == new)
  }

  /// What goes with the name of the header must not change between a batch and the next.
  @Test func tenantsLimitsChangeAndTheirHeaderDoesNot() throws {
    let old = try fixture.relay(leastRelay + "tenants: {header: X-Team}").configuration
    let limited = try fixture.relay(
      leastRelay + "tenants: {header: X-Team, required: true, max: 3, limits: {spans_per_second: 5}}"
    ).configuration
    #expect(old.reloaded(limited).sectionsNeedingRestart.isEmpty)
    #expect(old.reloaded(limited).inForce == limited)
    for text in ["", "tenants: {header: X-Other, max: 7}"] {
      let other = try fixture.relay(leastRelay + text).configuration
      #expect(old.reloaded(other).sectionsNeedingRestart == ["tenants"])
      #expect(old.reloaded(other).inForce == old)
    }
    let aggregator = try fixture.aggregator("tenants: ").configuration
    #expect(aggregator.reloaded(try fixture.aggregator("").configuration).sectionsNeedingRestart == ["tenants"])
  }

  @Test func anExporterMayLeadElsewhereButNotBeAnother() throws {
    let old = try fixture.relay(leastRelay).configuration
    let elsewhere = try fixture.relay(
      """
      region: us-east-1
      exporters:
        otlp:
          {endpoint: "b:1", connections: 5, compression: gzip, timeout: 3s, tls: {min_version: "1.2"}, headers: {a: b},
           sending_queue: {max_size_mib: 3}}
      """
    ).configuration
    #expect(old.reloaded(elsewhere).sectionsNeedingRestart.isEmpty)
    #expect(old.reloaded(elsewhere).inForce == elsewhere)
    let another = try fixture.relay("region: us-east-1\nexporters: {otlp/x: {endpoint: 'aggregator:4317'}}")
    #expect(old.reloaded(another.configuration).sectionsNeedingRestart == ["exporters"])
    #expect(old.reloaded(another.configuration).inForce == old)
  }

  @Test func aRegionStays() throws {
    let old = try fixture.relay(leastRelay).configuration
    var new = old
    new.region = "us-west-2"
    #expect(old.reloaded(new).sectionsNeedingRestart == ["region"])
  }

  @Test func aListenersCertificatesMayLieElsewhere() throws {
    func configuration(_ tls: String) throws -> RelayConfiguration {
      try fixture.relay(leastRelay + "receivers: {otlp: {protocols: {grpc: {endpoint: 'a:1', \(tls)}}}}").configuration
    }
    let old = try configuration("tls: {cert_file: a, key_file: b}")
    let new = try configuration("tls: {cert_file: c, key_file: d, client_ca_file: e}")
    #expect(old.reloaded(new).sectionsNeedingRestart.isEmpty)
    #expect(old.reloaded(new).inForce == new)
    let clear = try configuration("")
    #expect(old.reloaded(clear).sectionsNeedingRestart == ["receivers.otlp.protocols.grpc"])
  }

  @Test func anAggregator() throws {
    func configuration(_ text: String) throws -> AggregatorConfiguration {
      try fixture.aggregator(text).configuration
    }
    let one = "exporters: {otlp/a: {endpoint: 'x:1'}}\n"
    let old = try configuration(one)
    let taken = try configuration(
      "exporters: {otlp/a: {endpoint: 'y:2'}}\nlimits: {max_connections: 1}\n"
        + "stitching: {idle_timeout: 1s, max_live_traces: 5, memory_limit_mib: 3, max_spans_per_trace: 9}")
    #expect(old.reloaded(taken).sectionsNeedingRestart.isEmpty)
    #expect(old.reloaded(taken).inForce == taken)
    for (text, section) in [
      (one + "flow: {max_regions: 5}", "flow"), ("", "exporters"),
      ("exporters: {otlp/a: {endpoint: 'x:1'}, otlp/b: {endpoint: 'x:1'}}", "exporters"),
    ] {
      let reloaded = old.reloaded(try configuration(text))
      #expect(reloaded.sectionsNeedingRestart == [section])
      #expect(reloaded.inForce == old)
    }
  }
}
