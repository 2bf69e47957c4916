import Gateway
import Testing

/// Each wrong thing is told with file, line, key and what is allowed.
@Suite struct ConfigurationErrorTests {
  private let fixture = ConfigurationFixture()

  @Test(arguments: relayCases) func relayErrorNamesFileLineAndKey(text: String, error: String) {
    #expect(fixture.relayErrors(leastRelay + text) == ["a.yaml:3: \(error)"])
  }

  @Test(arguments: endpointCases) func receiverEndpoint(endpoint: String, fault: String) {
    let errors = fixture.aggregatorErrors("receivers:\n otlp:\n  protocols:\n   grpc:\n    endpoint: '\(endpoint)'")
    let form = "must be HOST:PORT such as 127.0.0.1:4317, [::1]:4317 or :4317; \"\(endpoint)\" "
    #expect(errors == ["a.yaml:5: receivers.otlp.protocols.grpc.endpoint: \(form)\(fault)"])
  }

  @Test(arguments: exporterCases) func exporterErrorNamesFileLineAndKey(text: String, error: String) {
    #expect(fixture.aggregatorErrors("exporters:\n  otlp/x: {\(text)}") == ["a.yaml:2: exporters.otlp/x\(error)"])
  }

  @Test(arguments: aggregatorCases) func aggregatorErrorNamesFileLineAndKey(text: String, error: String) {
    #expect(fixture.aggregatorErrors("\n" + text) == ["a.yaml:2: \(error)"])
  }

  @Test func relayNeedsRegionAndExporter() {
    #expect(
      fixture.relayErrors("") == [
        "a.yaml:1: region: is missing; the region this relay runs in",
        "a.yaml:1: exporters: is missing; a relay needs `otlp`, the aggregator it sends to",
      ])
    #expect(
      fixture.relayErrors("region:\nexporters: {}") == [
        "a.yaml:1: region: is missing; the region this relay runs in",
        "a.yaml:2: exporters: must have `otlp`, the aggregator; any others are local exporters beside it",
      ])
    let two = "region: a\nexporters:\n  otlp/a: {endpoint: \"a:1\"}\n  otlp/b: {endpoint: \"b:1\"}"
    #expect(
      fixture.relayErrors(two) == [
        "a.yaml:2: exporters: must have `otlp`, the aggregator; any others are local exporters beside it"
      ])
  }

  @Test func tellsAllErrorsInTheOrderOfLines() {
    let errors = fixture.relayErrors(
      """
      sampling: {param: 2}
      routes:
        - from: a
          to: b
          sampling: 1.5
        - {from: a, to: c, sampling: half, via: d}
      nonsense: 1
      exporters:
        otlp:
          endpoint: aggregator
          tls:
            insecure: maybe
      """)
    #expect(
      errors.map { $0.split(separator: ": ").prefix(2).joined(separator: " ") } == [
        "a.yaml:1 region", "a.yaml:1 sampling.param", "a.yaml:5 routes[0].sampling", "a.yaml:6 routes[1].sampling",
        "a.yaml:6 routes[1].via", "a.yaml:7 nonsense", "a.yaml:10 exporters.otlp.endpoint",
        "a.yaml:12 exporters.otlp.tls.insecure",
      ])
  }

  @Test func secretsAreNotTold() {
    let errors = fixture.aggregatorErrors(
      "exporters: {otlp: {endpoint: \"a:1\", headers: {token: [s3cret]}, timeout: x}}")
    #expect(errors.count == 2)
    #expect(!errors.joined().contains("s3cret"))
    let expanding = ConfigurationFixture(environment: ["T": "s3cret"])
    #expect(
      expanding.aggregatorErrors("shutdown_timeout: ${env:T}") == [
        "a.yaml:1: shutdown_timeout: must be a duration such as 10s, 500ms or 1m30s (units ns, us, ms, s, m, h), "
          + "not \"${env:T}\""
      ])
  }
}

private typealias Case = (String, String)

private func block(_ text: String) -> String {
  "regions[0].cidrs[0]: must be an address block such as 10.20.0.0/16 or 2001:db8::/32, not \"\(text)\""
}

private let relayCases: [Case] = [
  ("sampling: {param: 1.5}", "sampling.param: must be a probability from 0 to 1, not \"1.5\""),
  ("sampling: {param: -0.1}", "sampling.param: must be a probability from 0 to 1, not \"-0.1\""),
  ("sampling: {param: nan}", "sampling.param: must be a probability from 0 to 1, not \"nan\""),
  ("sampling: {param: [1]}", "sampling.param: must be a probability from 0 to 1, not a list"),
  ("sampling: {type: const}", "sampling.type: must be probabilistic, not \"const\""),
  ("sampling: {mode: fair}", "sampling.mode: must be one of equalizing, proportional, not \"fair\""),
  ("sampling: 0.5", "sampling: must be a mapping, not \"0.5\""),
  (
    "sampling: {trace_memory: {ttl: 60}}",
    "sampling.trace_memory.ttl: must be a duration such as 10s, 500ms or 1m30s (units ns, us, ms, s, m, h), not \"60\""
  ),
  ("propagation: {type: b3}", "propagation.type: must be w3c, not \"b3\""),
  ("shutdown_timeout: -1s", "shutdown_timeout: must not be negative, not \"-1s\""),
  ("limits: {max_connections: 0}", "limits.max_connections: must be a whole number, 1 to 1000000, not \"0\""),
  (
    "limits: {max_connections: many}",
    "limits.max_connections: must be a whole number, 1 to 1000000, not \"many\""
  ),
  ("limits: {max_request_mib: 2048}", "limits.max_request_mib: must be a whole number, 1 to 2047, not \"2048\""),
  (
    "context: {baggage: {restrictions: {maxCount: -1}}}",
    "context.baggage.restrictions.maxCount: must be a whole number, 0 or more, not \"-1\""
  ),
  ("context: {baggage: {enabled: yes}}", "context.baggage.enabled: must be true or false, not \"yes\""),
  ("context: {baggage: {keys: a}}", "context.baggage.keys: must be a list, not \"a\""),
  ("context: {baggage: {keys: [1]}}", "context.baggage.keys[0]: must be a string, not \"1\""),
  ("context: {baggage: {prefix: \"\"}}", "context.baggage.prefix: must not be empty"),
  ("log: {format: xml}", "log.format: must be one of text, json, not \"xml\""),
  (
    "log: {level: loud}",
    "log.level: must be one of trace, debug, info, notice, warning, error, critical, not \"loud\""
  ),
  ("regions: [{name: a, cidrs: [10.0.0.0/33]}]", block("10.0.0.0/33")),
  ("regions: [{name: a, cidrs: [10.0.0/8]}]", block("10.0.0/8")),
  ("regions: [{name: a, cidrs: [\"2001:db8::/129\"]}]", block("2001:db8::/129")),
  ("regions: [{name: a, cidrs: [\"10.0.0.0/\"]}]", block("10.0.0.0/")),
  (
    "regions: [{name: a, hosts: [\"http://x\"]}]",
    "regions[0].hosts[0]: must be a host name or a pattern such as *.us-west-2.example.com, not \"http://x\""
  ),
  ("regions: [{name: a}, {name: a}]", "regions[1].name: duplicate region a, it is already regions[0]"),
  ("regions: [{hosts: []}]", "regions[0].name: is missing; a region"),
  ("routes: [{from: a, to: b, sampling: 1.5}]", "routes[0].sampling: must be a probability from 0 to 1, not \"1.5\""),
  ("routes: [{from: a, sampling: 1}]", "routes[0].to: is missing; a region, or \"*\" for any"),
  ("routes: {from: a}", "routes: must be a list, not a mapping"),
  (
    "routes: [{from: a, to: b, sampling: 1}, {from: a, to: b, sampling: 0}]",
    "routes[1]: duplicate route from a to b, it is already routes[0]"
  ),
  (
    "processors: {memory_limiter: {limit_mib: 64, spike_limit_mib: 64}}",
    "processors.memory_limiter.spike_limit_mib: must be less than limit_mib, which is 64"
  ),
  (
    "processors: {batch: {send_batch_size: 10, send_batch_max_size: 9}}",
    "processors.batch.send_batch_max_size: must be 0 (no limit) or at least send_batch_size, which is 10"
  ),
  (
    "processors: {resource: {attributes: [{key: a, value: b, action: mask}]}}",
    "processors.resource.attributes[0].action: must be one of insert, update, upsert, delete, hash, extract, convert, "
      + "not \"mask\""
  ),
  (
    "processors: {resource: {attributes: [{key: a, action: insert}]}}",
    "processors.resource.attributes[0].value: is missing; insert needs one, or from_attribute"
  ),
  (
    "processors: {resource: {attributes: [{key: a, value: b, action: delete}]}}",
    "processors.resource.attributes[0].value: delete takes no value"
  ),
  (
    "recievers: {}",
    "recievers: unknown key; did you mean receivers? (allowed: admin, context, exporters, limits, "
      + "log, processors, propagation, receivers, region, regions, routes, sampling, shutdown_timeout, tenants)"
  ),
  (
    "admin: {port: 1}", "admin.port: unknown key (allowed: auth, endpoint)"
  ),
  (
    "receivers: {kafka: {}}", "receivers.kafka: unknown key (allowed: jaeger, otlp, zipkin)"
  ),
  ("receivers: {otlp: }", "receivers.otlp.protocols: is missing; allowed: grpc, http"),
  ("receivers: {otlp: {protocols: {}}}", "receivers.otlp.protocols: must name at least one of grpc, http"),
  (
    "receivers: {otlp: {protocols: {udp: }}}", "receivers.otlp.protocols.udp: unknown key (allowed: grpc, http)"
  ),
  (
    "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:8888\"}}}}",
    "receivers.otlp.protocols.grpc.endpoint: 127.0.0.1:8888 is already the endpoint of admin"
  ),
  (
    "receivers: {zipkin: {endpoint: \"127.0.0.1:4317\"}, otlp: {protocols: {grpc: }}}",
    "receivers.zipkin.endpoint: 127.0.0.1:4317 is already the endpoint of receivers.otlp.protocols.grpc"
  ),
  (
    "receivers: {jaeger: {protocols: {}}}",
    "receivers.jaeger: must name at least one of protocols.grpc, protocols.thrift_http, remote_sampling.grpc, "
      + "remote_sampling.http"
  ),
  (
    "receivers: {jaeger: {protocols: {thrift_compact: }}}",
    "receivers.jaeger.protocols.thrift_compact: unknown key (allowed: grpc, thrift_http)"
  ),
  (
    "receivers: {zipkin: {endpoint: \"127.0.0.1:5\", tls: {cert_file: a}}}",
    "receivers.zipkin.tls.key_file: is missing; cert_file and key_file go together, and client_ca_file needs both"
  ),
]

private let endpointCases: [Case] = [
  ("localhost", "has no port"), ("localhost:", "has no port"),
  ("localhost:65536", "has a port that is not a number from 0 to 65535"),
  ("localhost:-1", "has a port that is not a number from 0 to 65535"),
  ("localhost:grpc", "has a port that is not a number from 0 to 65535"),
  ("::1:4317", "has an IPv6 address without brackets, or no port"),
  ("[::g]:4317", "has no IPv6 address in its brackets"), ("4317", "has no port"),
  ("http://a:1", "has an IPv6 address without brackets, or no port"),
  ("a b:1", "has a host with characters that no host name has"),
]

private let target =
  "must be HOST:PORT such as aggregator.example.com:4317, https:// before it is allowed; "

private let exporterCases: [Case] = [
  ("", ".endpoint: is missing; HOST:PORT such as aggregator.example.com:4317"),
  ("endpoint: a", ".endpoint: \(target)\"a\" has no port"),
  ("endpoint: \":1\"", ".endpoint: \(target)\":1\" has no host"),
  ("endpoint: \"a:0\"", ".endpoint: \(target)\"a:0\" has port 0"),
  ("endpoint: \"a:1/v1\"", ".endpoint: \(target)\"a:1/v1\" has a port that is not a number from 0 to 65535"),
  (
    "endpoint: \"http://a:1\"",
    ".endpoint: http:// is clear text, which must be said with tls.insecure: true"
  ),
  ("endpoint: \"https://a:1\", tls: {insecure: true}", ".endpoint: https:// contradicts tls.insecure: true"),
  (
    "endpoint: \"a:1\", tls: {insecure: true, ca_file: ca.pem}",
    ".tls.insecure: true means clear text, which exporters.otlp/x.tls.ca_file contradicts"
  ),
  (
    "endpoint: \"a:1\", tls: {server_name_override: bücher.example}",
    ".tls.server_name_override: must be a host name or an IP address without a port; "
      + "names in other scripts in their xn-- form"
  ),
  ("endpoint: \"a:1\", tls: {key_file: k}", ".tls.cert_file: is missing; cert_file and key_file go together"),
  ("endpoint: \"a:1\", tls: {cert_file: k}", ".tls.key_file: is missing; cert_file and key_file go together"),
  ("endpoint: \"a:1\", tls: {min_version: 1.1}", ".tls.min_version: must be one of 1.2, 1.3, not \"1.1\""),
  ("endpoint: \"a:1\", tls: {insecure: 1}", ".tls.insecure: must be true or false, not \"1\""),
  ("endpoint: \"a:1\", compression: snappy", ".compression: must be one of none, gzip, zstd, not \"snappy\""),
  ("endpoint: \"a:1\", connections: 65", ".connections: must be a whole number, 1 to 64, not \"65\""),
  ("endpoint: \"a:1\", timeout: 0", ".timeout: must be 1ms or more, not \"0\""),
  (
    "endpoint: \"a:1\", retry_on_failure: {initial_interval: 2s, max_interval: 1s}",
    ".retry_on_failure.max_interval: must be at least initial_interval, which is 2s"
  ),
  (
    "endpoint: \"a:1\", sending_queue: {storage: /var/lib}",
    ".sending_queue.storage: is a relay's; an aggregator keeps everything in stitching.storage"
  ),
  (
    "endpoint: \"a:1\", sending_queue: {queue_size: 1}",
    ".sending_queue.queue_size: unknown key (allowed: max_size_mib, storage)"
  ),
  ("endpoint: \"a:1\", headers: {te: x}", ".headers.te: is not a header field that can be set"),
  ("endpoint: \"a:1\", headers: {\"a b\": x}", ".headers.a b: is not a header field that can be set"),
  ("endpoint: \"a:1\", headers: {a: \"x\\ny\"}", ".headers.a: must be a string of printable ASCII characters"),
  ("endpoint: \"a:1\", headers: {a: x, A: y}", ".headers.A: duplicate header field, letters' case does not count"),
]

private let aggregatorCases: [Case] = [
  ("exporters: {jaeger: {}}", "exporters.jaeger: \(unknownType)"),
  ("exporters: {otlp/: {}}", "exporters.otlp/: \(unknownType)"),
  (
    "extensions: {}",
    "extensions: unknown key (allowed: admin, exporters, flow, limits, log, processors, receivers, "
      + "shutdown_timeout, stitching, tenants)"
  ),
  ("flow: {duration_buckets: [1, 1]}", rising), ("flow: {duration_buckets: [2, 1]}", rising),
  ("flow: {duration_buckets: []}", "flow.duration_buckets: must have 1 to 200 bounds"),
  (
    "flow: {duration_buckets: [0]}",
    "flow.duration_buckets[0]: must be a number of seconds greater than 0, not \"0\""
  ),
  ("flow: {link_ttl: -1m}", "flow.link_ttl: must not be negative, not \"-1m\""),
  ("flow: {max_regions: 0}", "flow.max_regions: must be a whole number, 1 to 100000, not \"0\""),
  (
    "stitching: {idle_timeout: 10m, max_trace_age: 5m}",
    "stitching.max_trace_age: must be at least idle_timeout, which is 10m"
  ),
  ("stitching: {idle_timeout: 0s}", "stitching.idle_timeout: must be 1ms or more, not \"0s\""),
]

private let unknownType =
  "unknown exporter type (allowed: otlp, otlphttp, zipkin, elasticsearch, debug, file, and TYPE/NAME)"

private let rising = "flow.duration_buckets[1]: must be greater than the bound before it: bounds rise"
