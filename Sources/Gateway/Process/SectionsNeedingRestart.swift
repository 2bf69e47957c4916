extension RelayConfiguration {
  /// The sections in which another configuration differs and that a running relay does not take over.
  func sectionsNeedingRestart(to new: RelayConfiguration) -> [String] {
    var sections: [String] = []
    if region != new.region { sections.append("region") }
    if receivers != new.receivers { sections.append("receivers") }
    if limits != new.limits { sections.append("limits") }
    if memoryLimiter != new.memoryLimiter { sections.append("processors.memory_limiter") }
    if sampling.traceMemory != new.sampling.traceMemory { sections.append("sampling.trace_memory") }
    if exporter != new.exporter { sections.append("exporters") }
    if admin != new.admin { sections.append("admin") }
    if log != new.log { sections.append("log") }
    if shutdownTimeout != new.shutdownTimeout { sections.append("shutdown_timeout") }
    return sections
  }
}

extension AggregatorConfiguration {
  /// The sections in which another configuration differs and that a running aggregator does not take over.
  func sectionsNeedingRestart(to new: AggregatorConfiguration) -> [String] {
    var sections: [String] = []
    if receivers != new.receivers { sections.append("receivers") }
    if limits != new.limits { sections.append("limits") }
    if stitching != new.stitching { sections.append("stitching") }
    if flow != new.flow { sections.append("flow") }
    if exporters != new.exporters { sections.append("exporters") }
    if admin != new.admin { sections.append("admin") }
    if log != new.log { sections.append("log") }
    if shutdownTimeout != new.shutdownTimeout { sections.append("shutdown_timeout") }
    return sections
  }
}
