internal import Telemetry

/// What a process says of its configuration and certificates.
final class ProcessMetrics: Sendable {
  /// The configuration in force: 1 is the one it started with.
  let generation = AtomicCounter(1)
  /// Reloads that were refused.
  let reloadFailures = AtomicCounter()

  /// The metrics; of several certificates the one that expires first is shown.
  func families(certificateExpiry: [Int64?]) -> [MetricFamily] {
    let first = certificateExpiry.compactMap { $0 }.min()
    return [
      MetricFamily(
        "longspan_config_generation", .gauge, help: "Number of the configuration in force; 1 is the first.",
        samples: [MetricSample([], Double(generation.value))]),
      MetricFamily(
        "longspan_config_reload_failures_total", .counter, help: "Reloads refused because the files had errors.",
        samples: [MetricSample([], Double(reloadFailures.value))]),
      MetricFamily(
        "longspan_tls_certificate_expiry_seconds", .gauge,
        help: "When the first of our own certificates expires, in seconds since the Unix epoch.",
        samples: first.map { [MetricSample([], Double($0))] } ?? []),
      MetricFamily(
        "longspan_build_info", .gauge, help: "Always 1; the label tells the version.",
        samples: [MetricSample([("version", LongspanVersion.text)], 1)]),
    ]
  }
}
