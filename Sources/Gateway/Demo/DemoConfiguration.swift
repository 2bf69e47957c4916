/// The configuration files of the demo, as a user would write them.
enum DemoConfiguration {
  static func aggregator(_ identity: DemoAuthority.Identity, authority: String) -> String {
    """
    receivers:
      otlp:
        protocols:
          grpc:
            endpoint: "127.0.0.1:0"
            tls:
              cert_file: "\(identity.certificatePath)"
              key_file: "\(identity.keyPath)"
              client_ca_file: "\(authority)"
    stitching: {idle_timeout: 2s, max_trace_age: 1m}
    flow: {duration_buckets: [0.005, 0.01, 0.025, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10]}
    admin: {endpoint: "127.0.0.1:0"}
    """
  }

  static func relay(
    _ region: String, aggregator: String, identity: DemoAuthority.Identity, authority: String
  ) -> String {
    """
    region: \(region)
    receivers:
      otlp:
        protocols:
          grpc: {endpoint: "127.0.0.1:0"}
          http: {endpoint: "127.0.0.1:0"}
    processors:
      batch: {timeout: 200ms}
    context:
      baggage:
        enabled: true
        restrictions: {maxCount: 8, maxLength: 64}
    routes:
      - {from: us-east-1, to: us-west-2, sampling: 0.5}
      - {from: us-west-2, to: eu-west-1, sampling: 0.5}
      - {from: eu-west-1, to: us-east-1, sampling: 0.5}
      - {from: us-east-1, to: eu-west-1, sampling: 0.5}
    exporters:
      otlp:
        endpoint: "\(aggregator)"
        tls:
          ca_file: "\(authority)"
          cert_file: "\(identity.certificatePath)"
          key_file: "\(identity.keyPath)"
          server_name_override: localhost
    admin: {endpoint: "127.0.0.1:0"}
    """
  }
}
