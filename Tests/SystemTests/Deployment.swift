import Foundation

/// Configurations as users write them, for processes on free ports of this machine.
enum Deployment {
  /// An aggregator in clear text, with an exporter for each sink.
  static func aggregator(
    _ sinks: [Sink] = [], idle: String = "1s", more: String = "", stitching: String = ""
  ) async throws -> LongspanProcess {
    let exporters = sinks.enumerated().map { number, sink in
      "  otlp/\(number): {endpoint: \"127.0.0.1:\(sink.port)\", compression: none, tls: {insecure: true}}"
    }
    let section = exporters.isEmpty ? "" : "exporters:\n" + exporters.joined(separator: "\n")
    return try await LongspanProcess.start(
      "aggregator",
      """
      receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
      stitching: {idle_timeout: \(idle)\(stitching.isEmpty ? "" : ", " + stitching)}
      \(section)
      admin: {endpoint: "127.0.0.1:0"}
      \(more)
      """)
  }

  /// A relay in clear text towards an aggregator's address.
  static func relay(
    _ region: String, to aggregator: String, tls: String = "{insecure: true}", exporter: String = "", more: String = "",
    processors: String = ""
  ) async throws -> LongspanProcess {
    let text = relayText(
      region, to: aggregator, tls: tls, exporter: exporter, more: more, processors: processors)
    return try await LongspanProcess.start("relay", text)
  }

  /// `exporter` is one more line of `exporters.otlp`, such as `compression: none`; `processors` are members of a mapping.
  static func relayText(
    _ region: String, to aggregator: String, tls: String = "{insecure: true}", exporter: String = "", more: String = "",
    processors: String = ""
  ) -> String {
    """
    region: \(region)
    receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
    processors: {batch: {timeout: 100ms}\(processors.isEmpty ? "" : ", " + processors)}
    exporters:
      otlp:
        endpoint: "\(aggregator)"
        tls: \(tls)
        retry_on_failure: {initial_interval: 100ms, max_interval: 500ms}
        \(exporter)
    admin: {endpoint: "127.0.0.1:0"}
    \(more)
    """
  }
}
